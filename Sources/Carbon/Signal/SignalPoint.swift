package import Units

/// A figure and how long it holds.
package struct SignalPoint: Hashable, Sendable {
    package var from: Timestamp
    package var to: Timestamp
    package var value: Double
    /// When it was received; nil before that.
    package var known: Timestamp?

    package init(from: Timestamp, to: Timestamp, value: Double, known: Timestamp? = nil) {
        self.from = from
        self.to = to
        self.value = value
        self.known = known
    }
}

/// What one file or one answer of a service told. Both lists ascend in time and none of their points overlap.
package struct SignalReading: Hashable, Sendable {
    package var measured: [SignalPoint]
    package var forecast: [SignalPoint]
    /// The service's name for the place, if it gave one.
    package var zone: String?

    package init(measured: [SignalPoint] = [], forecast: [SignalPoint] = [], zone: String? = nil) {
        self.measured = measured
        self.forecast = forecast
        self.zone = zone
    }
}

/// What a signal is of: which figures are possible.
package enum SignalQuantity: String, Hashable, Sendable, CaseIterable {
    /// gCO2e/kWh.
    case intensity
    /// Money per kWh; may be negative.
    case price

    package var range: ClosedRange<Double> { self == .intensity ? 0...5000 : -10_000...10_000 }
    package var unit: String { self == .intensity ? "g/kWh" : "per kWh" }

    /// A figure with its unit: `212 g/kWh`, `0.31 per kWh`.
    package func text(_ value: Double) -> String { significant(value) + " " + unit }

    func checked(_ value: Double, _ place: String) throws(CarbonError) -> Double {
        guard range.contains(value) else {
            throw CarbonError(
                .badSignal, "\(place): \(value) is not possible as \(self == .intensity ? "an intensity" : "a price")",
                hint: "it is from \(significant(range.lowerBound)) to \(significant(range.upperBound)) \(unit)")
        }
        return value
    }
}

extension [SignalPoint] {
    /// The index of the point that holds at `time`; by bisection.
    func index(at time: Timestamp) -> Int? { firstIndex(after: time).flatMap { self[$0].from <= time ? $0 : nil } }

    /// The index of the first point that ends after `time`.
    func firstIndex(after time: Timestamp) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].to <= time { low = middle + 1 } else { high = middle }
        }
        return low < count ? low : nil
    }

    /// Both, and where they overlap `newer` alone.
    func merged(with newer: [SignalPoint]) -> [SignalPoint] {
        guard let first = newer.first else { return self }
        // Mostly the newer ones come after all that is known.
        if let end = last?.to, end <= first.from { return self + newer }
        var pieces = newer
        var next = 0
        for old in self {
            while next < newer.count, newer[next].to <= old.from { next += 1 }
            var rest = old
            for new in newer[next...] {
                guard new.from < old.to else { break }
                if rest.from < new.from {
                    pieces.append(SignalPoint(from: rest.from, to: new.from, value: old.value, known: old.known))
                }
                rest.from = Swift.max(rest.from, new.to)
            }
            if rest.from < rest.to { pieces.append(rest) }
        }
        return pieces.sorted { $0.from < $1.from }
    }

    /// Points from rows that tell only when each begins: each holds until the next, but no longer than the usual time.
    ///
    /// The usual time is the most frequent one, at most 31 days; of a single row it is `single`.
    static func holding(_ rows: [(time: Timestamp, value: Double)], single: Int64) -> [SignalPoint] {
        var counts: [Int64: Int] = [:]
        for (a, b) in zip(rows, rows.dropFirst()) { counts[b.time.microseconds - a.time.microseconds, default: 0] += 1 }
        let frequent = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? single
        let usual = Swift.min(frequent, 31 * 86_400_000_000)
        return rows.indices.map { index in
            let time = rows[index].time.microseconds
            let end = index + 1 < rows.count ? Swift.min(rows[index + 1].time.microseconds, time + usual) : time + usual
            return SignalPoint(from: rows[index].time, to: Timestamp(microseconds: end), value: rows[index].value)
        }
    }
}
