import Units

/// Puts the range around a share: from the sample's own range, the doubt about who drew the active part, and the doubt
/// about how much of the whole was active.
struct Spread {
    private let low: Double
    private let high: Double
    /// The least and the most of the whole that can be active.
    private let activeFraction: (low: Double, high: Double)

    /// - Parameters:
    ///   - idle: the idle part in µJ; nil while it is unknown.
    ///   - doubt: by how much the idle part may be wrong, relative to it.
    init(total: Int64, idle: Int64?, doubt: Double, range: EnergyRange) {
        low = Double(max(0, range.low.microjoules))
        high = Double(range.high.microjoules)
        if let idle {
            // Of a sample without energy nothing is known but its upper end: taken as active.
            let part = total > 0 ? Double(idle) / Double(total) : 0
            let doubt = doubt.isFinite ? max(0, doubt) : 0
            activeFraction = (max(0, 1 - part * (1 + doubt)), min(1, max(0, 1 - part * (1 - doubt))))
        } else {
            activeFraction = (0, 1)
        }
    }

    /// - Parameters:
    ///   - use: the least and the most of the active part that can be the account's.
    ///   - held: its part of the idle power.
    func bounded(_ share: Share, use: (low: Double, high: Double), held: Double) -> Share {
        // A mixture of active and idle is least or most at an end of what can be active.
        func mixed(_ active: Double, _ use: Double) -> Double { active * use + (1 - active) * held }
        let least = min(mixed(activeFraction.low, use.low), mixed(activeFraction.high, use.low))
        let most = max(mixed(activeFraction.low, use.high), mixed(activeFraction.high, use.high))
        var share = share
        // The point is apportioned in whole microjoules and may lie a rounding beyond the exact end.
        share.low = min(share.energy, Energy(microjoules: Int64(saturating: low * least)))
        share.high = max(share.energy, Energy(microjoules: Int64(saturating: high * most)))
        return share
    }
}
