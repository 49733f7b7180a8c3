import Units

/// The answers of the Carbon Intensity API of Great Britain to `/intensity`, `/intensity/{from}/fw24h` (also `fw48h`) and
/// `/intensity/{from}/{to}`: half hours with `forecast` and, once it is known, `actual`.
package enum UKCarbonIntensityAnswer {
    static let service = "Carbon Intensity API"

    package static func read(_ bytes: [UInt8]) throws(CarbonError) -> SignalReading {
        let answer = try JSONAnswer.decode(Answer.self, bytes, service: service)
        guard answer.data.count <= JSONAnswer.mostRows else {
            throw CarbonError(.badSignal, "\(service): \(answer.data.count) rows are too many")
        }
        var measured: [SignalPoint] = []
        var forecast: [SignalPoint] = []
        for (index, row) in answer.data.enumerated() {
            let place = "\(service): data[\(index)]"
            guard let from = SignalTime.parse(row.from), let to = SignalTime.parse(row.to) else {
                throw CarbonError(
                    .badSignal, "\(place): \"\(row.from.prefix(40))\" to \"\(row.to.prefix(40))\" are not two times")
            }
            guard from < to, to.since(from) <= .seconds(86400) else {
                throw CarbonError(.badSignal, "\(place): \(from) to \(to) is no interval of at most a day")
            }
            if let value = row.intensity.actual {
                let checked = try SignalQuantity.intensity.checked(value, "\(place).intensity.actual")
                measured.append(SignalPoint(from: from, to: to, value: checked))
            }
            if let value = row.intensity.forecast {
                let checked = try SignalQuantity.intensity.checked(value, "\(place).intensity.forecast")
                forecast.append(SignalPoint(from: from, to: to, value: checked))
            }
        }
        return SignalReading(measured: ordered(measured), forecast: ordered(forecast), zone: "GB")
    }

    private struct Answer: Decodable {
        var data: [Row]
    }

    private struct Row: Decodable {
        var from: String
        var to: String
        var intensity: Intensity
    }

    private struct Intensity: Decodable {
        var forecast: Double?
        /// Null until it is known.
        var actual: Double?
    }

    /// By time; of two rows for one time the later in the answer counts, and each ends where the next begins at the latest.
    private static func ordered(_ points: [SignalPoint]) -> [SignalPoint] {
        var byTime: [Timestamp: SignalPoint] = [:]
        for point in points { byTime[point.from] = point }
        var ordered = byTime.values.sorted { $0.from < $1.from }
        for index in ordered.indices.dropLast() { ordered[index].to = min(ordered[index].to, ordered[index + 1].from) }
        return ordered
    }
}
