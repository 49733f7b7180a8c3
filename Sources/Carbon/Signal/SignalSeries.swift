package import Units

/// A quantity of the grid over time, constant within each step: gCO2e/kWh or money per kWh, as the context says.
///
/// Outside of what it covers it has no value: nothing is held on to, nothing invented. Means and integrals take the same
/// time however long the interval is.
package struct SignalSeries: Sendable, Hashable {
    /// 39 years of steps of five minutes: more is a mistake, and memory for nothing.
    package static let mostValues = 1 << 22
    /// Far above any price or intensity, and small enough for sums to be exact to a millionth.
    package static let largestValue = 1e7

    package let start: Timestamp
    /// In whole seconds.
    package let step: Duration
    package let values: [Double]
    /// What the values before each index come to, in value seconds; one more than there are values.
    private let sums: [Double]
    /// The step in microseconds, the unit of ``Timestamp``.
    let stepMicroseconds: Int64

    /// - Parameter step: whole seconds, from 1 s to 366 days.
    package init(start: Timestamp, step: Duration, values: [Double]) throws(CarbonError) {
        let (seconds, attoseconds) = step.components
        guard attoseconds == 0, (1...31_622_400).contains(seconds) else {
            throw CarbonError(.badSignal, "a step of \(step.seconds) s is not from 1 s to 366 d in whole seconds")
        }
        guard !values.isEmpty, values.count <= Self.mostValues else {
            throw CarbonError(.badSignal, "\(values.count) values; there must be from 1 to \(Self.mostValues)")
        }
        stepMicroseconds = seconds * 1_000_000
        // The years 1 to 9999, and never near the ends of the integers.
        guard start.microseconds.magnitude < 300_000_000_000_000_000 else {
            throw CarbonError(.badSignal, "the start of the series is not a time of this era")
        }
        let (length, tooLong) = stepMicroseconds.multipliedReportingOverflow(by: Int64(values.count))
        guard !tooLong, length < 300_000_000_000_000_000 else {
            throw CarbonError(.badSignal, "the series is longer than 9,000 years")
        }
        var sums: [Double] = [0]
        sums.reserveCapacity(values.count + 1)
        var sum = 0.0
        for (index, value) in values.enumerated() {
            guard value.isFinite, value.magnitude <= Self.largestValue else {
                throw CarbonError(.badSignal, "value \(index + 1), \(value), is not a figure below 10,000,000")
            }
            sum += value * Double(seconds)
            sums.append(sum)
        }
        self.start = start
        self.step = step
        self.values = values
        self.sums = sums
    }

    package var end: Timestamp { time(at: values.count) }

    /// When the step of this index begins.
    package func time(at index: Int) -> Timestamp {
        Timestamp(microseconds: start.microseconds + Int64(index) * stepMicroseconds)
    }

    /// The step that `time` falls into; nil outside of the series.
    package func index(at time: Timestamp) -> Int? {
        guard time >= start, time < end else { return nil }
        return Int((time.microseconds - start.microseconds) / stepMicroseconds)
    }

    package func value(at time: Timestamp) -> Double? { index(at: time).map { values[$0] } }

    /// Whether there is a value for all of the interval.
    package func covers(_ from: Timestamp, _ to: Timestamp) -> Bool { from >= start && to <= end && from <= to }

    /// The sum of value times time in value seconds; nil where the interval is not covered, zero where it is empty.
    package func integral(_ from: Timestamp, _ to: Timestamp) -> Double? {
        guard covers(from, to) else { return nil }
        return area(before: to) - area(before: from)
    }

    /// The mean over an interval, weighted by time; nil where it is not covered or empty.
    package func mean(_ from: Timestamp, _ to: Timestamp) -> Double? {
        guard from < to, let integral = integral(from, to) else { return nil }
        return integral / to.since(from).seconds
    }

    /// From the start to `time`, which is not outside.
    private func area(before time: Timestamp) -> Double {
        let offset = time.microseconds - start.microseconds
        let (index, rest) = offset.quotientAndRemainder(dividingBy: stepMicroseconds)
        let whole = sums[Int(index)]
        return rest == 0 ? whole : whole + values[Int(index)] * Double(rest) / 1e6
    }
}
