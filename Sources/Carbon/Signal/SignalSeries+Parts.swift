package import Units

extension SignalSeries {
    /// The steps that lie at least in part between two times; nil where none does.
    package func part(_ from: Timestamp, _ to: Timestamp) -> SignalSeries? {
        let (low, high) = (max(from, start), min(to, end))
        guard low < high, let first = index(at: low) else { return nil }
        let (last, rest) = (high.microseconds - start.microseconds).quotientAndRemainder(dividingBy: stepMicroseconds)
        let bound = Int(last) + (rest > 0 ? 1 : 0)
        return try? SignalSeries(start: time(at: first), step: step, values: Array(values[first..<bound]))
    }

    /// How a step of another length gets its value.
    package enum Resampling: Sendable, Hashable {
        /// The value in force when it begins.
        case atStart
        /// The mean over it, weighted by time.
        case mean
    }

    /// The same from its start on in steps of another length. An end that fills no whole step is left out.
    /// - Throws: where not one step is filled, and for a step that no series can have.
    package func resampled(to step: Duration, by method: Resampling) throws(CarbonError) -> SignalSeries {
        let seconds = step.components.seconds
        guard step.components.attoseconds == 0, (1...31_622_400).contains(seconds) else {
            throw CarbonError(.badSignal, "a step of \(step.seconds) s is not from 1 s to 366 d in whole seconds")
        }
        let length = seconds * 1_000_000
        let count = (end.microseconds - start.microseconds) / length
        guard count <= Self.mostValues else {
            throw CarbonError(.badSignal, "\(count) steps of \(step.seconds) s are too many")
        }
        var sampled: [Double] = []
        sampled.reserveCapacity(Int(count))
        for index in 0..<count {
            let from = Timestamp(microseconds: start.microseconds + index * length)
            let to = Timestamp(microseconds: from.microseconds + length)
            guard let value = method == .atStart ? value(at: from) : mean(from, to) else { break }
            sampled.append(value)
        }
        return try SignalSeries(start: start, step: step, values: sampled)
    }
}
