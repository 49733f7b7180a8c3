import Carbon
import JobAPI
import Policy
import Scheduling
import Units

/// What energy causes and costs at the times at which a job may run.
struct GridEstimate: Sendable {
    var site: SiteCarbon
    var price: PriceSource?
    var forecast: ShiftForecast

    /// - Parameters:
    ///   - length: how long the job takes at most; nil where nobody can tell.
    ///   - deadline: by when it has to have ended; nil for a day beyond the time it takes.
    func fill(
        _ estimate: inout Estimate, length: Duration?, now: Timestamp, deadline: Timestamp?, goal: Flexibility.Goal
    ) {
        estimate.now = start(at: now, estimate)
        guard let planner = forecast.planner(for: goal) ?? forecast.carbon else {
            estimate.notes.append("no forecast of the grid is there: another start is no better as far as mld knows")
            return
        }
        guard let length else { return }
        if deadline == nil { estimate.notes.append("the best start is looked for within a day") }
        let end = deadline ?? now.advanced(by: length).advanced(by: JobController.estimateWindow)
        estimate.deadline = end
        let best = planner.start(in: .init(earliest: now, deadline: end, duration: length))
        if best.advanced(by: length) > end { estimate.notes.append("it may not have ended by \(end)") }
        estimate.greenest = start(at: best, estimate)
    }

    private func start(at time: Timestamp, _ estimate: Estimate) -> Estimate.Start {
        var start = Estimate.Start(at: time)
        // As long as it is expected to run; where nobody knows, as long as it may.
        let seconds = estimate.durationS?.expected ?? estimate.durationS?.high ?? 0
        let run = ShiftPlanner.Run(from: time, to: time.advanced(by: .seconds(min(max(seconds, 1), 1e9))))
        let foretold = forecast.carbon?.mean([run])
        let intensity = foretold ?? site.intensity.gramsPerKilowattHour
        start.intensityGPerKwh = intensity
        guard let energy = estimate.energyJ else { return start }
        // The figure of a zone that nobody stated is one of many.
        let steady = site.intensity.gramsPerKilowattHour
        let isForetold = foretold != nil
        func part(_ bound: CarbonIntensity) -> Double {
            isForetold || steady <= 0 ? 1 : bound.gramsPerKilowattHour / steady
        }
        let grams = intensity * site.pue / 3.6e6
        start.carbonG =
            energy
            * .init(low: grams * part(site.lowIntensity), expected: grams, high: grams * part(site.highIntensity))
        if let money = perKilowattHour(run) {
            let rate = money * site.pue / 3.6e6
            let cost = energy * .init(low: rate, expected: rate, high: rate)
            // Where using energy is paid for, the most of it costs least.
            start.cost =
                rate >= 0 ? cost : cost.high.map { .init(low: $0, expected: cost.expected, high: cost.low) }
        }
        return start
    }

    private func perKilowattHour(_ run: ShiftPlanner.Run) -> Double? {
        switch price {
        case .constant(let price): price.perKilowattHour
        case .file: forecast.cost?.mean([run])
        case nil: nil
        }
    }
}
