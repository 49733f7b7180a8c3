/// Where training stands between two steps: with the parameters and moments, enough to go on as if nothing had happened.
package struct TrainingPosition: Hashable, Sendable, Codable {
    /// The epoch under way, counted from 1.
    package var epoch = 1
    /// Its batches that are done.
    package var batch = 0
    /// Steps of the optimiser since the start.
    package var step = 0
    /// Samples trained on since the start.
    package var samples = 0
    /// Of the epoch under way.
    package var totals = Totals()
    package var history: [EpochSummary] = []
    package var stopping = EarlyStopping.Progress()

    package init() {}
}
