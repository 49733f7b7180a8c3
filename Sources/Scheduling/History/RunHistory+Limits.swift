import JobAPI

/// What runs under power limits say of the limit to run under.
package enum LimitAdvice: Hashable, Sendable {
    /// Too few runs under any one limit are known.
    case noLimitedRuns
    /// Too few without a limit: nobody can tell what a limit costs in time.
    case noFreeRuns
    /// Under each limit that is known its likes ran longer by more than that.
    case allSlow
    case limit(LimitChoice)
}

/// The lowest limit under which a job's likes ran hardly longer.
package struct LimitChoice: Hashable, Sendable {
    package var watts: Double
    /// Runs under it.
    package var runs: Int
    /// Of the median run time, relative to runs without a limit; below 0 where they were shorter.
    package var slowdown: Double
    /// Of the mean energy of a run, in joules; below 0 where they took more.
    package var saved: Double
}

extension RunHistory {
    /// By how much longer runs may take under a limit that is chosen for them.
    package static let mostSlowdown = 0.05
    private static let leastRuns = 3

    /// - Parameter key: of the likes that ran the same but for numbers, for the same request.
    package func limit(_ key: UInt64) -> LimitAdvice {
        let whole = samples(key).filter { $0.isWhole && $0.watts != nil }
        var groups: [Int: [RunSample]] = [:]
        for run in whole {
            if case .held(let watts) = run.limit, watts.isFinite, watts > 0, watts < 1e6 {
                groups[Int(watts.rounded()), default: []].append(run)
            }
        }
        groups = groups.filter { $0.value.count >= Self.leastRuns }
        if groups.isEmpty { return .noLimitedRuns }
        let free = whole.filter { $0.limit == .none }
        guard free.count >= Self.leastRuns, let usual = Quantiles(free).median, usual > 0 else { return .noFreeRuns }
        for (watts, runs) in groups.sorted(by: { $0.key < $1.key }) {
            guard let median = Quantiles(runs).median, median / usual - 1 <= Self.mostSlowdown else { continue }
            return .limit(
                LimitChoice(
                    watts: Double(watts), runs: runs.count, slowdown: median / usual - 1,
                    saved: Self.energy(free) - Self.energy(runs)))
        }
        return .allSlow
    }

    private static func energy(_ runs: [RunSample]) -> Double {
        runs.reduce(0) { $0 + ($1.watts?.mean ?? 0) * $1.seconds } / Double(max(1, runs.count))
    }
}
