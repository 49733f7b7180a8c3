/// Quantiles of run times of which some are only known to be longer than they were seen to be.
package struct Quantiles: Hashable, Sendable {
    /// A tenth of the runs is no longer.
    package var low: Double?
    /// Half of them.
    package var median: Double?
    /// Nine tenths of them. Nil where too many were cut off to tell: it is more than any that was seen.
    package var high: Double?

    /// ``high`` alone, at less cost where none was cut off, as mostly.
    static func high(_ runs: [RunSample]) -> Double? {
        guard !runs.isEmpty, runs.allSatisfy(\.isWhole) else { return Quantiles(runs).high }
        let seconds = runs.map(\.seconds).sorted()
        return seconds[Int((0.9 * Double(seconds.count) - 1e-6).rounded(.up)) - 1]
    }

    /// The estimator of Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations" (1958): a run that was cut off
    /// counts among those that run on up to where it was cut, and not beyond. Leaving it out, or taking it for one that had
    /// ended, would make all of its kind seem shorter than they are.
    init(_ runs: some Sequence<RunSample>) {
        // Of runs of one length those that were whole come first: one that was cut there would have gone on.
        let sorted = runs.sorted { a, b in a.seconds == b.seconds ? a.isWhole && !b.isWhole : a.seconds < b.seconds }
        var surviving = 1.0
        for (index, run) in sorted.enumerated() where run.isWhole {
            surviving *= 1 - 1 / Double(sorted.count - index)
            // A billionth for what rounding adds.
            let ended = 1 - surviving + 1e-9
            if low == nil, ended >= 0.1 { low = run.seconds }
            if median == nil, ended >= 0.5 { median = run.seconds }
            if high == nil, ended >= 0.9 { high = run.seconds }
        }
    }
}
