import JobAPI

/// What runs of the past say of a job.
package struct RunEstimate: Hashable, Sendable {
    /// By which likes.
    package var likeness: Likeness
    /// How many of them ended by themselves.
    package var runs: Int
    /// How many their limits ended.
    package var cut: Int
    /// In seconds.
    package var seconds: Quantiles
    /// What one of its size draws; nil where nothing was metered.
    package var watts: RunSample.Watts?

    init(_ samples: [RunSample], _ likeness: Likeness, cpus: Int) {
        self.likeness = likeness
        runs = samples.count { $0.isWhole }
        cut = samples.count - runs
        seconds = Quantiles(samples)
        // Among likes that asked for something else, watts go by the CPUs.
        let scaled = samples.compactMap { sample in
            sample.watts.map { watts in
                let factor = Double(cpus) / Double(max(1, sample.cpus))
                return RunSample.Watts(
                    low: watts.low * factor, mean: watts.mean * factor, high: watts.high * factor, tier: watts.tier)
            }
        }
        guard !scaled.isEmpty else { return }
        let tiers = scaled.map(\.tier)
        watts = RunSample.Watts(
            low: Self.rank(scaled.map(\.low), 0.1), mean: scaled.map(\.mean).reduce(0, +) / Double(scaled.count),
            high: Self.rank(scaled.map(\.high), 0.9),
            tier: tiers.contains(.table) ? .table : tiers.contains(.calibrated) ? .calibrated : .measured)
    }

    /// The least value that this part of them does not exceed.
    private static func rank(_ values: [Double], _ part: Double) -> Double {
        let index = Int((part * Double(values.count)).rounded(.up)) - 1
        return values.sorted()[min(max(0, index), values.count - 1)]
    }
}
