import Carbon
import Testing
import Units

@Suite struct PricingTests {
    @Test func aKilowattHourCostsTheIntensityTimesThePUE() {
        let energy = Energy(kilowattHours: 1)
        #expect(price(energy, intensity: CarbonIntensity(gramsPerKilowattHour: 380.95), pue: 1) == 380.95e6)
        #expect(price(energy, intensity: CarbonIntensity(gramsPerKilowattHour: 400), pue: 1.5) == 600e6)
        // 100 J are 1/36,000 kWh; at 360 g/kWh they make 10 mg.
        #expect(
            price(Energy(joules: 100), intensity: CarbonIntensity(gramsPerKilowattHour: 360), pue: 1) == 10_000)
    }

    @Test func intervalsArePricedOneByOne() {
        // 1 kWh at 100 and 3 kWh at 500 g/kWh: 1600 g. Total energy times the mean of the two would give 1200 g.
        let parts = [(1.0, 100.0), (3.0, 500.0)].map { energy, grams in
            price(Energy(kilowattHours: energy), intensity: CarbonIntensity(gramsPerKilowattHour: grams), pue: 1)
        }
        #expect(parts.reduce(0, +) == 1600e6)
    }

    @Test(arguments: [(Double.nan, 1.0), (100.0, .nan), (-1.0, 1.0), (.infinity, 1.0), (100.0, -1.0)])
    func figuresWithoutSenseCostNothing(grams: Double, pue: Double) {
        let mass = price(Energy(microjoules: .max), intensity: CarbonIntensity(gramsPerKilowattHour: grams), pue: pue)
        #expect(mass == 0)
    }

    @Test func theLargestEnergyDoesNotOverflow() {
        let mass = price(Energy(microjoules: .max), intensity: CarbonIntensity(gramsPerKilowattHour: 1e9), pue: 10)
        #expect(Int64(saturating: mass) == .max)
    }
}

@Suite struct SiteCarbonTests {
    @Test func aSiteThatIsSetIsPricedWithItsOwnFigures() throws {
        let site = try SiteCarbon(zone: "DE", pue: 1.2, table: .builtIn())
        #expect(site.zone == "DEU" && site.zoneIsSet && site.pueIsSet)
        #expect(site.source.contains("Germany 2023"))
        #expect(site.pueText == "PUE 1.2")
        let priced = site.price(
            Energy(kilowattHours: 1), active: Energy(kilowattHours: 0.25), low: Energy(kilowattHours: 0.5),
            high: Energy(kilowattHours: 2))
        // 380.95 g/kWh x 1.2
        #expect(priced.carbon == 457.14e6 && priced.activeCarbon == 114.285e6)
        #expect(priced.carbonLow == 228.57e6)
        #expect(priced.carbonHigh == 914.28e6)
    }

    /// 1 kWh at 0.30 with a fifth of overhead is 0.36, of which a quarter is active.
    @Test func moneyIsPricedWithTheOverhead() throws {
        var site = try SiteCarbon(zone: "DE", pue: 1.2, table: .builtIn())
        let (energy, active) = (Energy(kilowattHours: 1), Energy(kilowattHours: 0.25))
        #expect(site.price(energy, active: active, low: energy, high: energy).money == nil)
        site.energyPrice = EnergyPrice(perKilowattHour: 0.3, currency: "EUR")
        let priced = site.price(energy, active: active, low: energy, high: energy)
        #expect(abs((priced.money ?? 0) - 360_000) < 1e-6 && abs((priced.activeMoney ?? 0) - 90_000) < 1e-6)
        site.energyPrice?.perKilowattHour = -0.1
        let paid = site.price(energy, active: active, low: energy, high: energy).money
        #expect(abs((paid ?? 0) + 120_000) < 1e-6)
    }

    @Test func aSiteThatIsNotSetSaysSoAndIsWide() throws {
        let site = try SiteCarbon(zone: nil, pue: nil, table: .builtIn())
        #expect(site.zone == "WORLD" && !site.zoneIsSet && !site.pueIsSet)
        #expect(site.source.contains("not set") && site.pueText.contains("not set"))
        let energy = Energy(kilowattHours: 1)
        let priced = site.price(energy, active: energy, low: energy, high: energy)
        #expect(abs(priced.carbon - 480.62e6) < 1)
        #expect(abs(priced.carbonLow - 98.348e6) < 1)
        #expect(abs(priced.carbonHigh - 713.441e6) < 1)
    }

    @Test(arguments: [0.99, 0, -1, .nan, .infinity, 11])
    func anImpossiblePUEIsRefused(pue: Double) throws {
        let table = try CarbonTable.builtIn()
        #expect(throws: CarbonError.self) { try SiteCarbon(zone: "DE", pue: pue, table: table) }
    }
}
