import Carbon
import JobAPI
import Policy
import Scheduling
import Testing
import Units

@testable import Daemon

/// Now against the best start, by a forecast.
@Suite struct GridEstimateTests {
    private static let start = Timestamp(seconds: 1_700_006_400)

    private func at(_ hours: Double) -> Timestamp { Self.start.advanced(by: .seconds(hours * 3600)) }

    private func site(_ zone: String? = "DE", pue: Double? = 1.5) throws -> SiteCarbon {
        try SiteCarbon(zone: zone, pue: pue, table: CarbonTable.builtIn())
    }

    /// 400 g/kWh, but 100 in the fifth hour; 0.3 a kWh, but -0.1 in it.
    private func forecast() throws -> ShiftForecast {
        func series(_ high: Double, _ low: Double) throws -> SignalSeries {
            try SignalSeries(start: Self.start, step: .seconds(3600), values: (0..<48).map { $0 == 5 ? low : high })
        }
        return ShiftForecast(carbon: try series(400, 100), price: try series(0.3, -0.1))
    }

    /// Half an hour of 1 kW, from 20 to 60 min of 0.5 to 2 kW: 0.5 kWh.
    private func estimate() -> Estimate {
        var estimate = Estimate(admission: .init(accepted: true, reason: "accepted"))
        estimate.durationS = .init(low: 1200, expected: 1800, high: 3600)
        estimate.powerW = .init(low: 500, expected: 1000, high: 2000)
        estimate.energyJ = .init(low: 0.6e6, expected: 1.8e6, high: 7.2e6)
        return estimate
    }

    private func filled(
        _ grid: GridEstimate, length: Duration? = .seconds(3600), deadline: Timestamp? = nil
    ) -> Estimate {
        var estimate = estimate()
        grid.fill(&estimate, length: length, now: at(0), deadline: deadline, goal: .carbon)
        return estimate
    }

    @Test func theBestStartIsFoundInsideTheDeadline() throws {
        let grid = GridEstimate(site: try site(), price: .file("x", currency: "EUR"), forecast: try forecast())
        let estimate = filled(grid, deadline: at(10))
        #expect(estimate.now?.at == at(0) && estimate.greenest?.at == at(5) && estimate.deadline == at(10))
        // 0.5 kWh x 1.5 x 400 g/kWh.
        #expect(abs((estimate.now?.carbonG?.expected ?? 0) - 300) < 1e-6)
        #expect(abs((estimate.greenest?.carbonG?.expected ?? 0) - 75) < 1e-6)
        #expect(abs((estimate.greenest?.carbonG?.high ?? 0) - 300) < 1e-6)
        #expect(abs((estimate.now?.cost?.expected ?? 0) - 0.225) < 1e-9)
        // Paid for using it: the most energy costs least.
        let cost = try #require(estimate.greenest?.cost)
        #expect(cost.low < cost.expected ?? 0 && cost.expected ?? 0 < cost.high ?? 0 && cost.high ?? 0 < 0)
        let tight = filled(grid, deadline: at(5))
        #expect(tight.greenest?.at == at(0))
        let late = filled(grid, deadline: at(0.5))
        #expect(late.greenest?.at == at(0) && late.notes.contains { $0.hasPrefix("it may not have ended by") })
    }

    @Test func withoutADeadlineADayIsLookedAt() throws {
        let grid = GridEstimate(site: try site(), price: nil, forecast: try forecast())
        let estimate = filled(grid)
        #expect(estimate.greenest?.at == at(5) && estimate.deadline == at(25))
        #expect(estimate.now?.cost == nil)
        #expect(estimate.notes == ["the best start is looked for within a day"])
    }

    @Test func withoutAForecastOnlyNowIsTold() throws {
        let site = try site()
        let price = PriceSource.constant(EnergyPrice(perKilowattHour: 0.4, currency: "EUR"))
        let estimate = filled(GridEstimate(site: site, price: price, forecast: ShiftForecast()))
        #expect(estimate.greenest == nil && estimate.notes.count == 1)
        let grams = site.intensity.gramsPerKilowattHour
        #expect(estimate.now?.intensityGPerKwh == grams)
        #expect(abs((estimate.now?.carbonG?.expected ?? 0) - 0.75 * grams) < 1e-6)
        #expect(abs((estimate.now?.cost?.expected ?? 0) - 0.3) < 1e-9)
        let unknown = filled(GridEstimate(site: try self.site(nil), price: nil, forecast: ShiftForecast()))
        let range = try #require(unknown.now?.carbonG)
        // Energy from 0.6 to 7.2 MJ, and the world's spread of intensities beside it.
        #expect(range.high ?? 0 > 1.2 * 4 * (range.expected ?? 0))
    }

    @Test func whatMayRunForEverHasNoBestStart() throws {
        let grid = GridEstimate(site: try site(), price: nil, forecast: try forecast())
        #expect(filled(grid, length: nil).greenest == nil)
    }
}
