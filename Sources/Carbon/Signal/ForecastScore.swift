import Units

/// How far a source's forecasts were from what was measured later, by hours ahead.
package struct ForecastScore: Sendable, Hashable, Codable {
    /// What was told of a moment, waiting for it to be measured.
    private struct Promise: Hashable, Codable {
        var target: Timestamp
        var hours: Int
    }

    private struct Outcome: Hashable, Codable {
        var actual: Double
        var error: Double
    }

    /// Two weeks of hours are kept.
    private static let most = 336

    private var promises: [Promise: Double] = [:]
    private var outcomes: [Int: [Outcome]] = [:]

    package init() {}

    /// The mean absolute percentage error by hours ahead, once a day's hours could be compared.
    package var errors: [Int: Double] {
        outcomes.compactMapValues { meanPercentage($0.map { ($0.actual, $0.error) }) }
    }

    /// A forecast was received: what it says of the beginning of the hours to come that are told of is kept.
    mutating func promised(_ forecast: [SignalPoint], at now: Timestamp) {
        let hour = Int64(HourlyHistory.hour(now))
        for hours in ForecastModel.horizons {
            let target = Timestamp(microseconds: (hour + Int64(hours)) * HourlyHistory.length)
            let promise = Promise(target: target, hours: hours)
            guard promises[promise] == nil, promises.count < 1000, let index = forecast.index(at: target) else {
                continue
            }
            promises[promise] = forecast[index].value
        }
    }

    /// The past was received.
    mutating func measured(_ points: [SignalPoint], at now: Timestamp) {
        let due = promises.filter { $0.key.target <= now }
            .sorted { ($0.key.target, $0.key.hours) < ($1.key.target, $1.key.hours) }
        for (promise, value) in due {
            if let index = points.index(at: promise.target) {
                let actual = points[index].value
                outcomes[promise.hours, default: []].append(Outcome(actual: actual, error: value - actual))
                if outcomes[promise.hours, default: []].count > Self.most {
                    outcomes[promise.hours]?.removeFirst()
                }
                promises[promise] = nil
            } else if now.since(promise.target) > .seconds(3 * 86400) {
                promises[promise] = nil
            }
        }
    }
}
