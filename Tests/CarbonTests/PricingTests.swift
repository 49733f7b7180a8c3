import Carbon
import Testing
import Units

@Suite struct PricingTests {
    @Test func aKilowattHourCostsTheIntensityTimesThePUE() {
        let energy = Energy(kilowattHours: 1)
        #expect(price(energy, intensity: CarbonIntensity(gramsPerKilowattHour: 380.95), pue: 1).grams == 380.95)
        #expect(price(energy, intensity: CarbonIntensity(gramsPerKilowattHour: 400), pue: 1.5).grams == 600)
        // 100 J are 1/36,000 kWh; at 360 g/kWh they make 10 mg.
        #expect(
            price(Energy(joules: 100), intensity: CarbonIntensity(gramsPerKilowattHour: 360), pue: 1).micrograms
                == 10_000)
    }

    @Test func intervalsArePricedOneByOne() {
        // 1 kWh at 100 and 3 kWh at 500 g/kWh: 1600 g. Total energy times the mean of the two would give 1200 g.
        let parts = [(1.0, 100.0), (3.0, 500.0)].map { energy, grams in
            price(Energy(kilowattHours: energy), intensity: CarbonIntensity(gramsPerKilowattHour: grams), pue: 1)
        }
        #expect(parts.reduce(.zero, +).grams == 1600)
    }

    @Test(arguments: [(Double.nan, 1.0), (100.0, .nan), (-1.0, 1.0), (.infinity, 1.0), (100.0, -1.0)])
    func figuresWithoutSenseCostNothing(grams: Double, pue: Double) {
        let mass = price(Energy(microjoules: .max), intensity: CarbonIntensity(gramsPerKilowattHour: grams), pue: pue)
        #expect(mass == .zero)
    }

    @Test func theLargestEnergyDoesNotOverflow() {
        let mass = price(Energy(microjoules: .max), intensity: CarbonIntensity(gramsPerKilowattHour: 1e9), pue: 10)
        #expect(mass.micrograms == .max)
    }
}

@Suite struct SiteCarbonTests {
    @Test func aSiteThatIsSetIsPricedWithItsOwnFigures() throws {
        let site = try SiteCarbon(zone: "DE", pue: 1.2, table: .builtIn())
        #expect(site.zone == "DEU" && site.zoneIsSet && site.pueIsSet)
        #expect(site.source.contains("Germany 2023"))
        #expect(site.pueText == "PUE 1.2")
        let priced = site.price(
            Energy(kilowattHours: 1), low: Energy(kilowattHours: 0.5), high: Energy(kilowattHours: 2))
        // 380.95 g/kWh x 1.2
        #expect(priced.mass.grams == 457.14)
        #expect(priced.low.grams == 228.57)
        #expect(priced.high.grams == 914.28)
    }

    @Test func aSiteThatIsNotSetSaysSoAndIsWide() throws {
        let site = try SiteCarbon(zone: nil, pue: nil, table: .builtIn())
        #expect(site.zone == "WORLD" && !site.zoneIsSet && !site.pueIsSet)
        #expect(site.source.contains("not set") && site.pueText.contains("not set"))
        let energy = Energy(kilowattHours: 1)
        let priced = site.price(energy, low: energy, high: energy)
        #expect(priced.mass.grams == 480.62)
        #expect(priced.low.grams == 98.348)
        #expect(priced.high.grams == 713.441)
    }

    @Test(arguments: [0.99, 0, -1, .nan, .infinity, 11])
    func anImpossiblePUEIsRefused(pue: Double) throws {
        let table = try CarbonTable.builtIn()
        #expect(throws: CarbonError.self) { try SiteCarbon(zone: "DE", pue: pue, table: table) }
    }
}
