package import JobAPI

/// What is known of one attempt that has ended.
package struct RunSample: Hashable, Sendable {
    /// How long it ran, in seconds, without the time it stood still.
    package var seconds: Double
    /// False for one that its time limit ended: it would have run longer, nobody knows how much.
    package var isWhole: Bool
    /// What it asked for.
    package var cpus: Int
    /// Mean power, with what it was reserved; nil where nothing was metered.
    package var watts: Watts?
    /// Of what it drew at most the part beyond the idle machine, in watts; nil where nothing was metered.
    package var beyondIdle: Double?

    /// Under which power limit it ran.
    package var limit = Limit.none

    package enum Limit: Hashable, Sendable {
        case none
        /// From begin to end, in watts.
        case held(Double)
        /// Not the same throughout: it tells nothing of limits.
        case changing
    }

    package struct Watts: Hashable, Sendable {
        package var low: Double
        package var mean: Double
        package var high: Double
        package var tier: Tier

        package init(low: Double, mean: Double, high: Double, tier: Tier) {
            self.low = low
            self.mean = mean
            self.high = high
            self.tier = tier
        }
    }

    package init(seconds: Double, isWhole: Bool = true, cpus: Int, watts: Watts? = nil) {
        self.seconds = seconds
        self.isWhole = isWhole
        self.cpus = cpus
        self.watts = watts
    }

    /// Of an attempt that drew so many joules; nil for a length that is none.
    /// - Parameters:
    ///   - energy: in joules; nil where nothing was metered.
    ///   - idle: the part of it that the machine would have drawn without the job, in joules.
    package init?(
        seconds: Double, isWhole: Bool, cpus: Int, energy: (low: Double, mean: Double, high: Double)?, tier: Tier?,
        idle: Double = 0
    ) {
        guard seconds.isFinite, seconds > 0, seconds < 1e10, cpus >= 1 else { return nil }
        self.init(seconds: seconds, isWhole: isWhole, cpus: cpus)
        guard let energy, let tier, tier != .gap, energy.mean > 0, energy.low >= 0, energy.low <= energy.mean,
            energy.high >= energy.mean, energy.high.isFinite
        else { return }
        watts = Watts(
            low: energy.low / seconds, mean: energy.mean / seconds, high: energy.high / seconds, tier: tier)
        beyondIdle = (energy.high - min(max(0, idle), energy.mean)) / seconds
    }
}
