package import JobAPI
package import Policy

/// One trace under several policies.
package enum Comparison {
    /// - Parameters:
    ///   - policies: the first is what the others are held against.
    ///   - name: how the trace is called.
    ///   - showsFirstCome: whether the last row is the first policy once more, first come, first served: what its backfilling is
    ///     worth.
    package static func run(
        _ trace: Trace, named name: String, under policies: [(name: String, policy: PolicySet)],
        on machine: SimulatedMachine, prices: GridPrices = GridPrices(), options: Replay.Options = Replay.Options(),
        showsFirstCome: Bool = false
    ) -> SimulationReport {
        var options = options
        options.prices = prices
        func row(_ name: String, _ policy: PolicySet, _ options: Replay.Options) -> SimulationReport.Row {
            func outcome(_ options: Replay.Options) -> Outcome {
                let log = Replay.run(trace, under: policy, on: machine, options: options)
                return Outcome(
                    log, of: trace, on: machine, prices: prices, restart: options.forecast?.restart ?? 0)
            }
            var row = outcome(options).row(named: name)
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
        var rows = policies.map { row($0.name, $0.policy, options) }
        if showsFirstCome, let first = policies.first, let known = rows.first?.notes {
            var plain = row("\(first.name), fcfs", first.policy, options.firstCome)
            plain.notes.removeAll { known.contains($0) }
            plain.notes.append("first come, first served: no job starts before one that waits ahead of it")
            rows.append(plain)
        }
        return SimulationReport(trace: name, rows: rows, notes: trace.notes)
    }
}
