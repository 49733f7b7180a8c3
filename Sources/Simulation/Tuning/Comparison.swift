package import JobAPI
package import Policy

/// One trace under several policies.
package enum Comparison {
    /// - Parameters:
    ///   - policies: the first is what the others are held against.
    ///   - name: how the trace is called.
    package static func run(
        _ trace: Trace, named name: String, under policies: [(name: String, policy: PolicySet)],
        on machine: SimulatedMachine, prices: GridPrices = GridPrices(), options: Replay.Options = Replay.Options()
    ) -> SimulationReport {
        var options = options
        options.prices = prices
        let rows = policies.map { entry in
            func outcome(_ options: Replay.Options) -> Outcome {
                let log = Replay.run(trace, under: entry.policy, on: machine, options: options)
                return Outcome(
                    log, of: trace, on: machine, prices: prices, restart: options.forecast?.restart ?? 0)
            }
            var row = outcome(options).row(named: entry.name)
            // What its errors cost: the same again by one that knows.
            if let forecast = options.forecast, forecast.kind != .perfect {
                var knowing = options
                knowing.forecast?.kind = .perfect
                if let best = outcome(knowing).figures.carbonSavedPercent, let saved = row.figures.carbonSavedPercent {
                    row.figures.carbonLostToForecastPoints = best - saved
                }
            }
            return row
        }
        return SimulationReport(trace: name, rows: rows, notes: trace.notes)
    }
}
