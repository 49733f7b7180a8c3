import TestSupport
import Testing

@testable import Units

@Suite struct AllowanceTests {
    @Test func energies() throws {
        #expect(try Energy(parsing: "50 kWh") == Energy(kilowattHours: 50))
        #expect(try Energy(parsing: "3.6MJ") == Energy(kilowattHours: 1))
        #expect(try Energy(parsing: "0 J") == .zero)
        for text in ["", "50", "kWh", "-1 J", "3 kwh", "3000 MWh", "1e9 J", "nan J", "inf J", "5 kWh/month"] {
            #expect(throws: UnitError.self, "\(text)") { try Energy(parsing: text) }
        }
    }

    @Test func masses() throws {
        #expect(try CarbonMass(parsing: "15 kg") == CarbonMass(grams: 15_000))
        #expect(try CarbonMass(parsing: "1.5 t").grams == 1.5e6)
        for text in ["15", "-1 g", "15 lb", "99999999 t"] {
            #expect(throws: UnitError.self, "\(text)") { try CarbonMass(parsing: text) }
        }
    }

    @Test func intensities() throws {
        #expect(try CarbonIntensity(parsing: "300 g/kWh").gramsPerKilowattHour == 300)
        #expect(try CarbonIntensity(parsing: "0.3 kg/kWh").gramsPerKilowattHour == 300)
        #expect(try CarbonIntensity(parsing: "300 kg/MWh").gramsPerKilowattHour == 300)
        for text in ["300", "300 g", "-1 g/kWh", "10001 g/kWh", "300 g/Wh"] {
            #expect(throws: UnitError.self, "\(text)") { try CarbonIntensity(parsing: text) }
        }
    }

    @Test func money() throws {
        #expect(try Money(parsing: "200 EUR") == Money(micros: 200_000_000, currency: "EUR"))
        #expect("\(try Money(parsing: "12.50 USD"))" == "12.5 USD")
        for text in ["200", "EUR", "-1 EUR", "1 eur", "1 EURO", "1 €", "99999999999999 EUR"] {
            #expect(throws: UnitError.self, "\(text)") { try Money(parsing: text) }
        }
        #expect(try EnergyPrice(parsing: "320 EUR/MWh") == EnergyPrice(perKilowattHour: 0.32, currency: "EUR"))
        #expect(try EnergyPrice(parsing: "-0.05 EUR / kWh").perKilowattHour == -0.05)
        for text in ["0.3", "0.3 EUR", "0.3 EUR/h", "0.3 g/kWh", "2000 EUR/kWh", "0.3 EUR/kWh/h"] {
            #expect(throws: UnitError.self, "\(text)") { try EnergyPrice(parsing: text) }
        }
        let price = EnergyPrice(perKilowattHour: 0.32, currency: "EUR")
        #expect(price.cost(of: Energy(kilowattHours: 10)) == Money(amount: 3.2, currency: "EUR"))
    }

    @Test func amountsPerPeriod() throws {
        #expect(try Allowance<Energy>(parsing: "50 kWh/month") == .init(Energy(kilowattHours: 50), per: .month))
        #expect(try Allowance<CarbonMass>(parsing: "1 t / year") == .init(CarbonMass(grams: 1e6), per: .year))
        #expect(try Allowance<Money>(parsing: "200 EUR/week") == .init(Money(amount: 200, currency: "EUR"), per: .week))
        for text in ["50 kWh", "50 kWh/", "50/month", "/month", "50 kWh/fortnight", "50 kWh/Month", "-5 kWh/day"] {
            #expect(throws: UnitError.self, "\(text)") { try Allowance<Energy>(parsing: text) }
        }
    }

    @Test(arguments: [
        (CalendarPeriod.day, "2026-11-24T10:00:00Z", "2026-11-24", "2026-11-25"),
        (.week, "2026-11-24T10:00:00Z", "2026-11-23", "2026-11-30"),
        (.week, "2026-11-22T23:59:59Z", "2026-11-16", "2026-11-23"),
        (.month, "2026-11-24T10:00:00Z", "2026-11-01", "2026-12-01"),
        (.month, "2026-12-31T23:59:59Z", "2026-12-01", "2027-01-01"),
        (.month, "2028-02-29T12:00:00Z", "2028-02-01", "2028-03-01"),
        (.month, "2100-02-28T12:00:00Z", "2100-02-01", "2100-03-01"),
        (.month, "1969-12-31T23:00:00Z", "1969-12-01", "1970-01-01"),
        (.year, "2026-01-01T00:00:00Z", "2026-01-01", "2027-01-01"),
    ])
    func periods(period: CalendarPeriod, time: String, start: String, end: String) throws {
        let interval = period.interval(containing: try Timestamp(parsing: time))
        #expect(interval == (try Timestamp(parsing: start))..<(try Timestamp(parsing: end)))
    }

    /// Periods hold their moment, and each begins where the last ended: no microsecond is in none or in two.
    @Test func periodsTileTheTimeline() {
        var random = Seeded(26)
        for _ in 0..<2000 {
            let range: ClosedRange<Int64> =
                Bool.random(using: &random) ? -4_000_000_000_000_000...8_000_000_000_000_000 : .min ... .max
            let time = Timestamp(microseconds: .random(in: range, using: &random))
            for period in CalendarPeriod.allCases {
                let interval = period.interval(containing: time)
                #expect(interval.lowerBound <= time)
                #expect(time < interval.upperBound || interval.upperBound.microseconds == .max)
                if interval.upperBound.microseconds < .max - 1_000_000_000_000_000 {
                    #expect(period.interval(containing: interval.upperBound).lowerBound == interval.upperBound)
                }
            }
        }
        for extreme in [Int64.min, .max] {
            for period in CalendarPeriod.allCases {
                #expect(!period.interval(containing: Timestamp(microseconds: extreme)).isEmpty || extreme == .max)
            }
        }
    }

    /// What is printed is read as what was printed.
    @Test func printAndParse() throws {
        var random = Seeded(27)
        for _ in 0..<500 {
            let period = CalendarPeriod.allCases.randomElement(using: &random) ?? .day
            let energy = Allowance(Energy(joules: .random(in: 1...9e12, using: &random)), per: period)
            #expect("\(try Allowance<Energy>(parsing: "\(energy)"))" == "\(energy)")
            let mass = Allowance(CarbonMass(grams: .random(in: 1...9e6, using: &random)), per: period)
            #expect("\(try Allowance<CarbonMass>(parsing: "\(mass)"))" == "\(mass)")
            let money = Allowance(Money(amount: .random(in: 0...9e6, using: &random), currency: "EUR"), per: period)
            #expect("\(try Allowance<Money>(parsing: "\(money)"))" == "\(money)")
            let price = EnergyPrice(perKilowattHour: .random(in: -1...2, using: &random), currency: "USD")
            #expect("\(try EnergyPrice(parsing: "\(price)"))" == "\(price)")
            let intensity = CarbonIntensity(gramsPerKilowattHour: .random(in: 0...2000, using: &random))
            #expect("\(try CarbonIntensity(parsing: "\(intensity)"))" == "\(intensity)")
        }
    }
}
