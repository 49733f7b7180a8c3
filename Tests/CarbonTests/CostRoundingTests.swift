import Carbon
import TestSupport
import Testing
import Units

/// Whole units, whose sums are those of what was not whole.
@Suite struct CostRoundingTests {
    /// 3 W for an hour at 0.5 L/kWh are 0.003 kWh or 1.5 mL; each second is 0.42 µL.
    @Test func smallDrawsAreNotLost() throws {
        var site = try SiteCarbon(zone: "NO", pue: nil, table: .builtIn())
        site.wue = 0.5
        site.intensity = CarbonIntensity(gramsPerKilowattHour: 30)
        (site.lowIntensity, site.highIntensity) = (site.intensity, site.intensity)
        var rounding = CostRounding()
        var sum = EnergyCost()
        for _ in 0..<3600 {
            let energy = Energy(joules: 3)
            let cost = rounding.whole(site.price(energy, active: Energy(joules: 1), low: energy, high: energy))
            #expect(cost.water == cost.water.rounded() && cost.carbon == cost.carbon.rounded())
            sum.water += cost.water
            sum.activeWater += cost.activeWater
            sum.carbon += cost.carbon
            sum.activeCarbon += cost.activeCarbon
        }
        #expect(abs(sum.water - 1500) <= 1 && abs(sum.activeWater - 500) <= 1)
        // 0.003 kWh x 30 g/kWh = 90 mg.
        #expect(abs(sum.carbon - 90_000) <= 1 && abs(sum.activeCarbon - 30_000) <= 1)
    }

    /// Prices below zero too, and times without one in between.
    @Test func noMillionthIsLostWhateverThePrice() {
        var generator = Seeded(7)
        for _ in 0..<100 {
            var rounding = CostRounding()
            var (given, taken) = (0.0, 0.0)
            for _ in 0..<200 {
                let money = Bool.random(using: &generator) ? Double.random(in: -2...3, using: &generator) : nil
                let whole = rounding.whole(EnergyCost(money: money, activeMoney: money.map { $0 / 2 }))
                #expect((whole.money == nil) == (money == nil) && whole.money == whole.money?.rounded())
                given += money ?? 0
                taken += whole.money ?? 0
            }
            #expect(given - taken > -1e-9 && given - taken < 1 + 1e-9)
        }
    }

    @Test func everyStepStaysInItsRangeAndNoUnitIsLost() {
        var generator = Seeded(4)
        for _ in 0..<200 {
            var rounding = CostRounding()
            var (given, taken) = (EnergyCost(), EnergyCost())
            for _ in 0..<100 {
                let carbon = Double.random(in: 0...3, using: &generator)
                let water = Double.random(in: 0...0.2, using: &generator)
                let cost = EnergyCost(
                    carbon: carbon, carbonLow: carbon * .random(in: 0...1, using: &generator),
                    carbonHigh: carbon * .random(in: 1...2, using: &generator),
                    activeCarbon: carbon * .random(in: 0...1, using: &generator), water: water,
                    activeWater: water * .random(in: 0...1, using: &generator))
                let whole = rounding.whole(cost)
                #expect(whole.carbonLow >= 0 && whole.carbonLow <= whole.carbon && whole.carbonHigh >= whole.carbon)
                #expect(whole.activeCarbon >= 0 && whole.activeCarbon <= whole.carbon)
                #expect(whole.activeWater >= 0 && whole.activeWater <= whole.water)
                given.carbon += cost.carbon
                taken.carbon += whole.carbon
                given.water += cost.water
                taken.water += whole.water
            }
            #expect(given.carbon - taken.carbon > -1e-9 && given.carbon - taken.carbon < 1 + 1e-9)
            #expect(given.water - taken.water > -1e-9 && given.water - taken.water < 1 + 1e-9)
        }
    }
}
