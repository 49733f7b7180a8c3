/// What replays of one trace came to as one setting of the policy was turned: `mlctl policy tune --format json`.
package struct SweepReport: Codable, Hashable, Sendable {
    package struct Row: Codable, Hashable, Sendable {
        /// As it would be written into the policy.
        package var value: String
        package var figures: SimulationFigures
        /// No other value has both less carbon (or energy, where the intensity is not known) and a shorter mean wait.
        package var isBest: Bool
        package var notes: [String]

        package init(value: String, figures: SimulationFigures, isBest: Bool = false, notes: [String] = []) {
            self.value = value
            self.figures = figures
            self.isBest = isBest
            self.notes = notes
        }
    }

    package var trace: String
    /// The key of the policy that was turned, such as `queue.batch.priority`.
    package var knob: String
    package var rows: [Row]
    package var notes: [String]

    package init(trace: String, knob: String, rows: [Row], notes: [String] = []) {
        self.trace = trace
        self.knob = knob
        self.rows = rows
        self.notes = notes
    }
}
