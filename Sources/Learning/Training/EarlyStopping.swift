/// Ends training when a figure no longer improves, as Keras's callback does.
package struct EarlyStopping: Hashable, Sendable {
    package enum Monitor: String, CaseIterable, Sendable {
        case loss
        case accuracy
        case validationLoss = "val-loss"
        case validationAccuracy = "val-accuracy"

        package var needsValidation: Bool { self == .validationLoss || self == .validationAccuracy }
    }

    package var monitor: Monitor
    /// Epochs without improvement before the end.
    package var patience: Int
    /// The least change that counts as one.
    package var minimumDelta: Double
    /// Ends with the weights of the best epoch, not the last.
    package var restoresBest: Bool

    package init(
        monitor: Monitor = .validationLoss, patience: Int = 0, minimumDelta: Double = 0, restoresBest: Bool = false
    ) {
        self.monitor = monitor
        self.patience = patience
        self.minimumDelta = minimumDelta
        self.restoresBest = restoresBest
    }

    /// What the epochs so far have shown.
    package struct Progress: Hashable, Sendable, Codable {
        package private(set) var best: (epoch: Int, value: Double)? {
            get { bestEpoch.map { ($0, bestValue) } }
            set {
                bestEpoch = newValue?.epoch
                bestValue = newValue?.value ?? 0
            }
        }
        private var bestEpoch: Int?
        private var bestValue = 0.0
        private var waited = 0

        package init() {}

        /// - Returns: whether this epoch is the best so far, and whether to stop after it.
        package mutating func note(_ epoch: EpochSummary, _ rule: EarlyStopping) -> (isBest: Bool, stops: Bool) {
            guard let value = epoch.value(of: rule.monitor) else { return (false, false) }
            let rises = rule.monitor == .accuracy || rule.monitor == .validationAccuracy
            let gain = best.map { rises ? value - $0.value : $0.value - value }
            if gain.map({ $0 > rule.minimumDelta }) ?? true {
                best = (epoch.epoch, value)
                waited = 0
                return (true, false)
            }
            waited += 1
            return (false, stops(rule))
        }

        /// Whether training is to end here, also when it is taken up again.
        package func stops(_ rule: EarlyStopping) -> Bool { waited > 0 && waited >= rule.patience }
    }
}
