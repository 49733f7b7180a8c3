package import Carbon
package import Units

/// Where in its time a job causes least carbon or cost, at constant power: the answer to one question at a time, without
/// regard for what else runs.
///
/// Time is cut into slots at whole multiples of the slot's length since 1970, so that forecasts that begin at different
/// times have the same ones. Costs are compared as integers: equal ones are equal, and the earliest of them is taken.
package struct ShiftPlanner: Sendable {
    /// What a job leaves open.
    package struct Window: Hashable, Sendable {
        /// When it could run: its submission, its `not-before`, or now.
        package var earliest: Timestamp
        /// It ends by then.
        package var deadline: Timestamp
        /// How long it runs, or has still to run; a part of a second counts as a whole one.
        package var duration: Duration

        package init(earliest: Timestamp, deadline: Timestamp, duration: Duration) {
            self.earliest = earliest
            self.deadline = deadline
            self.duration = duration
        }
    }

    /// From when until when a job runs.
    package struct Run: Hashable, Sendable {
        package var from: Timestamp
        package var to: Timestamp

        package init(from: Timestamp, to: Timestamp) {
            self.from = from
            self.to = to
        }
    }

    package let series: SignalSeries
    package let slot: Duration
    /// In microseconds.
    let slotLength: Int64
    /// What the values before each index come to, scaled to integers, in value seconds.
    private let sums: [Int64]
    private let scaled: [Int64]
    private let stepSeconds: Int64

    /// - Parameter slot: whole seconds; at least a minute, at most a day.
    package init(series: SignalSeries, slot: Duration = .seconds(1800)) {
        self.series = series
        let seconds = min(max(60, slot.components.seconds), 86400)
        self.slot = .seconds(seconds)
        slotLength = seconds * 1_000_000
        stepSeconds = series.step.components.seconds
        // The sum of all, and of 1,000 restarts of a day each, stays within 62 bits. By a power of two small numbers are exact.
        let largest = series.values.reduce(0) { max($0, $1.magnitude) }
        let total = max(86400, Double(stepSeconds) * Double(series.values.count))
        let scale = largest > 0 ? min(0x1p500, 0x1p50 / (largest * total)).binade : 0
        scaled = series.values.map { Int64(saturating: $0 * scale) }
        var sums: [Int64] = [0]
        sums.reserveCapacity(scaled.count + 1)
        var sum: Int64 = 0
        for value in scaled {
            sum += value * stepSeconds
            sums.append(sum)
        }
        self.sums = sums
    }

    /// The start at which a job that runs in one go has the least mean: at once, or at the beginning of a slot. At once where
    /// the deadline leaves no choice or the series does not tell.
    package func start(in window: Window) -> Timestamp {
        let length = Self.wholeSeconds(window.duration)
        let latest = Self.latestStart(window)
        guard window.earliest < latest, let atOnce = cost(from: window.earliest, seconds: length) else {
            return window.earliest
        }
        var best = (start: window.earliest, cost: atOnce)
        var start = firstSlot(from: window.earliest)
        while let slot = start, slot <= latest, let cost = cost(from: slot, seconds: length) {
            if cost < best.cost { best = (slot, cost) }
            start = advance(slot, by: slotLength)
        }
        return best.start
    }

    /// The mean of the series over runs, weighted by time; nil where it does not cover them.
    package func mean(_ runs: [Run]) -> Double? {
        var sum = 0.0
        var time = 0.0
        for run in runs {
            guard let integral = series.integral(run.from, run.to) else { return nil }
            sum += integral
            time += run.to.since(run.from).seconds
        }
        return time > 0 ? sum / time : nil
    }

    // MARK: - Time

    /// The last start that meets the deadline.
    package static func latestStart(_ window: Window) -> Timestamp {
        let length = wholeSeconds(window.duration) * 1_000_000
        let (start, overflow) = window.deadline.microseconds.subtractingReportingOverflow(length)
        return Timestamp(microseconds: overflow ? .min : start)
    }

    /// From 1 s to 1,000 years.
    static func wholeSeconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(max(1, attoseconds > 0 && seconds < .max ? seconds + 1 : seconds), 31_557_600_000)
    }

    /// The first beginning of a slot that is not before `time`.
    func firstSlot(from time: Timestamp) -> Timestamp? {
        let rest = time.microseconds % slotLength
        let ahead = rest > 0 ? slotLength - rest : -rest
        return advance(time, by: ahead)
    }

    func advance(_ time: Timestamp, by microseconds: Int64) -> Timestamp? {
        let (sum, overflow) = time.microseconds.addingReportingOverflow(microseconds)
        return overflow ? nil : Timestamp(microseconds: sum)
    }

    // MARK: - Cost

    /// What the series comes to over an interval; nil where it is not covered. The start counts to the second below, so that
    /// intervals of one length are compared exactly.
    func cost(from start: Timestamp, seconds: Int64) -> Int64? {
        guard start >= series.start, start < series.end else { return nil }
        let offset = (start.microseconds - series.start.microseconds) / 1_000_000
        guard seconds >= 0, seconds <= stepSeconds * Int64(scaled.count) - offset else { return nil }
        return area(before: offset + seconds) - area(before: offset)
    }

    /// The scaled value in force.
    func price(at time: Timestamp) -> Int64? { series.index(at: time).map { scaled[$0] } }

    private func area(before offset: Int64) -> Int64 {
        let (index, rest) = offset.quotientAndRemainder(dividingBy: stepSeconds)
        return rest == 0 ? sums[Int(index)] : sums[Int(index)] + scaled[Int(index)] * rest
    }
}
