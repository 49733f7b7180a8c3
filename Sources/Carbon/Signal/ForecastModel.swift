import Units

/// Foretells a signal of which only the past is known: a blend of the same hour of the day before and of the week before, set
/// right by how far the present hour is from what the same blend says of it. That correction fades with each hour ahead.
///
///     value(t) = b(t) + memory^h x (present - b(present))      b(t) = w x day before + (1 - w) x week before
package struct ForecastModel: Sendable, Hashable {
    /// Hours ahead for which the error is told.
    package static let horizons = [1, 6, 24]
    /// How many hours of the past are looked at: four weeks before those that weights are tried on.
    package static let historyHours = 6 * 168
    /// Weights are chosen by the series' own past from so many hours with a week before them on.
    static let fittedFrom = 168
    /// The last two weeks are what weights are tried on.
    static let trialHours = 336

    /// `w`.
    package private(set) var dayWeight = 0.7
    /// What is left of the correction after an hour.
    package private(set) var memory = 0.95
    /// Whether the two were chosen by the past of the series itself.
    package private(set) var isFitted = false
    /// The mean absolute percentage error over the last two weeks by hours ahead, each hour foretold from what was known
    /// that many hours before.
    package private(set) var errors: [Int: Double] = [:]

    package init() {}

    /// Chooses the weights with the lowest mean absolute error over all horizons, if there is past enough.
    init(_ history: HourlyHistory) {
        let samples = Self.horizons.map { hours in
            (max(history.first, history.end - Self.trialHours)..<history.end).compactMap {
                Sample(history, hour: $0, ahead: hours)
            }
        }
        let full = samples.map { $0.filter(\.hasWeek) }
        if full.allSatisfy({ $0.count >= Self.fittedFrom }) {
            var least = Double.infinity
            for dayWeight in stride(from: 0, through: 10, by: 1).map({ Double($0) / 10 }) {
                for memory in [0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1] {
                    let error = full.reduce(0) { sum, samples in
                        sum + samples.reduce(0) { $0 + $1.error(dayWeight, memory).magnitude } / Double(samples.count)
                    }
                    if error < least {
                        least = error
                        (self.dayWeight, self.memory) = (dayWeight, memory)
                    }
                }
            }
            isFitted = true
        }
        for (hours, samples) in zip(Self.horizons, samples) {
            let pairs = samples.map { (actual: $0.actual, error: $0.error(dayWeight, memory)) }
            errors[hours] = meanPercentage(pairs)
        }
    }

    /// What the hour of `time` will be; nil where neither the day nor the week before is known.
    func value(at time: Timestamp, _ history: HourlyHistory) -> Double? {
        let hour = HourlyHistory.hour(time)
        let last = history.end - 1
        if hour <= last { return history[hour] }
        guard let base = base(hour, known: history.end, history) else { return nil }
        guard let present = history[last], let said = self.base(last, known: last, history) else {
            return base
        }
        return base + power(memory, hour - last) * (present - said)
    }

    private func base(_ hour: Int, known: Int, _ history: HourlyHistory) -> Double? {
        let day = history.same(hour, every: 24, before: known, tries: 3)
        let week = history.same(hour, every: 168, before: known, tries: 2)
        switch (day, week) {
        case (let day?, let week?): return dayWeight * day + (1 - dayWeight) * week
        default: return day ?? week
        }
    }

    /// One hour of the past as it would have been foretold.
    private struct Sample {
        var actual: Double
        var hasWeek: Bool
        private var day: Double
        private var week: Double
        /// The hour that was the present then, and what the blend has for it; nil when it is not known.
        private var present: (value: Double, day: Double, week: Double)?
        private var ahead: Int

        init?(_ history: HourlyHistory, hour: Int, ahead: Int) {
            let now = hour - ahead
            guard let actual = history[hour], let terms = Self.terms(history, hour, known: now + 1) else { return nil }
            self.actual = actual
            self.ahead = ahead
            (day, week, hasWeek) = terms
            if let value = history[now], let then = Self.terms(history, now, known: now) {
                present = (value, then.day, then.week)
            }
        }

        private static func terms(
            _ history: HourlyHistory, _ hour: Int, known: Int
        ) -> (day: Double, week: Double, hasWeek: Bool)? {
            let day = history.same(hour, every: 24, before: known, tries: 3)
            let week = history.same(hour, every: 168, before: known, tries: 2)
            guard let any = day ?? week else { return nil }
            return (day ?? any, week ?? any, day != nil && week != nil)
        }

        func error(_ dayWeight: Double, _ memory: Double) -> Double {
            var value = dayWeight * day + (1 - dayWeight) * week
            if let present {
                let said = dayWeight * present.day + (1 - dayWeight) * present.week
                value += power(memory, ahead) * (present.value - said)
            }
            return value - actual
        }
    }
}

/// Where the truth is next to nothing, less than a hundredth of its mean, a percentage says nothing: it is left out.
/// - Returns: nil for fewer than a day's hours.
func meanPercentage(_ pairs: [(actual: Double, error: Double)]) -> Double? {
    guard pairs.count >= 24 else { return nil }
    let mean = pairs.reduce(0) { $0 + $1.actual.magnitude } / Double(pairs.count)
    let clear = pairs.filter { $0.actual.magnitude > mean / 100 }
    guard !clear.isEmpty else { return nil }
    return 100 * clear.reduce(0) { $0 + ($1.error / $1.actual).magnitude } / Double(clear.count)
}

private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var factor = base
    var rest = max(0, exponent)
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
