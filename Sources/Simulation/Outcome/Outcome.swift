package import JobAPI
import Units

/// What a replay came to: its figures and what is drawn of it.
package struct Outcome: Hashable, Sendable {
    package var figures: SimulationFigures
    package var curves: SimulationCurves
    package var notes: [String]

    /// Bounded slowdown counts jobs shorter than this as if they were as long, so that a moment's wait of a job of one second
    /// does not decide the mean.
    static let slowdownBound = 10.0

    /// - Parameters:
    ///   - log: of this trace on this machine.
    ///   - prices: how the energy is priced; need not be what the scheduler was told.
    ///   - restart: what going on after a suspension takes, in seconds of the job's power.
    package init(
        _ log: ReplayLog, of trace: Trace, on machine: SimulatedMachine, prices: GridPrices = GridPrices(),
        restart: Double = 0
    ) {
        var tally = Tally(log, trace, machine, prices, restart: restart)
        tally.addSegments()
        tally.addJobs()
        figures = tally.figures
        curves = tally.curves
        notes = tally.notes
    }

    /// As a row of a report.
    package func row(named name: String) -> SimulationReport.Row {
        SimulationReport.Row(name: name, figures: figures, curves: curves, notes: notes)
    }
}
