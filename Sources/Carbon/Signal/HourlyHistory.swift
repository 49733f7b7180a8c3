import Units

/// The mean of each hour of the past, where it is known.
struct HourlyHistory: Sendable, Hashable {
    /// Hours since 1970 of the first.
    private(set) var first: Int
    private(set) var values: [Double?]

    /// The number of the first hour after those that are known, at which a forecast begins.
    var end: Int { first + values.count }

    /// - Parameter hours: how many are kept, the last ones.
    init(_ points: [SignalPoint], hours: Int) {
        guard let last = points.last else {
            (first, values) = (0, [])
            return
        }
        // An hour that has only begun is known by what there is of it.
        let end = Self.hour(Timestamp(microseconds: last.to.microseconds - 1)) + 1
        let first = max(end - hours, Self.hour(points[0].from))
        var sums = [Double](repeating: 0, count: max(0, end - first))
        var times = sums
        for point in points.reversed() {
            guard Self.hour(point.to) >= first else { break }
            var from = point.from.microseconds
            while from < point.to.microseconds {
                let hour = Self.hour(Timestamp(microseconds: from))
                let to = min(point.to.microseconds, Int64(hour + 1) * Self.length)
                if hour >= first, hour < end {
                    sums[hour - first] += point.value * Double(to - from)
                    times[hour - first] += Double(to - from)
                }
                from = to
            }
        }
        self.first = first
        values = zip(sums, times).map { $1 > 0 ? $0 / $1 : nil }
    }

    init(first: Int, values: [Double?]) {
        self.first = first
        self.values = values
    }

    static let length: Int64 = 3_600_000_000

    static func hour(_ time: Timestamp) -> Int {
        let (hour, rest) = time.microseconds.quotientAndRemainder(dividingBy: length)
        return Int(rest < 0 ? hour - 1 : hour)
    }

    subscript(hour: Int) -> Double? {
        hour >= first && hour < end ? values[hour - first] : nil
    }

    /// The value one period before, or as many as it takes to be before `known`; where that is not there, of the period before.
    func same(_ hour: Int, every period: Int, before known: Int, tries: Int) -> Double? {
        var at = hour - max(1, (hour - known) / period + 1) * period
        for _ in 0..<tries {
            if let value = self[at] { return value }
            at -= period
        }
        return nil
    }
}
