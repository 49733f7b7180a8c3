import Units

/// Puts the range around a share: from the sample's own range, the doubt about who drew the active part, and the doubt
/// about how much of the whole was active.
struct Spread {
    private let low: Double
    private let high: Double
    private let activeFraction: Double
    private let splitKnown: Bool

    init(total: Int64, active: Int64, range: EnergyRange, splitKnown: Bool) {
        low = Double(max(0, range.low.microjoules))
        high = Double(range.high.microjoules)
        // Of a sample without energy nothing is known but its upper end: taken as active.
        activeFraction = total > 0 ? Double(active) / Double(total) : 1
        self.splitKnown = splitKnown
    }

    /// - Parameters:
    ///   - use: the least and the most of the active part that can be the account's.
    ///   - held: its part of the idle power.
    func bounded(_ share: Share, use: (low: Double, high: Double), held: Double) -> Share {
        let least: Double
        let most: Double
        if splitKnown {
            least = activeFraction * use.low + (1 - activeFraction) * held
            most = activeFraction * use.high + (1 - activeFraction) * held
        } else {
            // Any mixture of active and idle lies between the two pure cases.
            least = min(use.low, held)
            most = max(use.high, held)
        }
        var share = share
        // The point is apportioned in whole microjoules and may lie a rounding beyond the exact end.
        share.low = min(share.energy, Energy(microjoules: Int64(saturating: low * least)))
        share.high = max(share.energy, Energy(microjoules: Int64(saturating: high * most)))
        return share
    }
}
