/// `|predicted - measured| / measured` over several points, summed up.
package struct RelativeErrors: Sendable, Hashable {
    package var mean: Double
    /// Nine tenths of the points err by no more than this (the nearest rank: of fewer than ten points, the largest).
    package var p90: Double

    package init(mean: Double, p90: Double) {
        self.mean = mean
        self.p90 = p90
    }

    /// - Returns: nil without points, or if one measured nothing.
    package init?(_ pairs: [(predicted: Double, measured: Double)]) {
        guard !pairs.isEmpty, pairs.allSatisfy({ $0.measured > 0 }) else { return nil }
        let errors = pairs.map { abs($0.predicted - $0.measured) / $0.measured }.sorted()
        mean = errors.reduce(0, +) / Double(errors.count)
        p90 = errors[(errors.count * 9 + 9) / 10 - 1]
    }
}

/// The middle of some figures, which one wild figure does not move; of an even number, the mean of the middle two.
///
/// - Returns: nil for none.
func median(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return nil }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
