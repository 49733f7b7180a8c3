import Units

/// The answers of the Electricity Maps API, version 3, to `/v3/carbon-intensity/latest`, `/history` and `/forecast`.
///
/// A figure that the service marks as estimated is not called measured: it counts as a forecast until it is replaced.
package enum ElectricityMapsAnswer {
    static let service = "Electricity Maps"

    package static func read(_ bytes: [UInt8]) throws(CarbonError) -> SignalReading {
        let answer = try JSONAnswer.decode(Answer.self, bytes, service: service)
        var reading = SignalReading(zone: answer.zone.map { String($0.prefix(40)) })
        let step = seconds(answer.temporalGranularity) * 1_000_000
        if let rows = answer.forecast {
            reading.forecast = try points(rows, "forecast", step: step) { _ in true }
        } else if let rows = answer.history ?? answer.data {
            let name = answer.history == nil ? "data" : "history"
            reading.measured = try points(rows, name, step: step) { $0.isEstimated != true }
            reading.forecast = try points(rows, name, step: step) { $0.isEstimated == true }
        } else {
            guard let datetime = answer.datetime else {
                throw CarbonError(
                    .badSignal, "\(service): there is neither datetime, nor history, nor forecast",
                    hint: "ask for /v3/carbon-intensity/latest, /history or /forecast")
            }
            let row = Row(
                datetime: datetime, carbonIntensity: answer.carbonIntensity, isEstimated: answer.isEstimated)
            let points = try points([row], "", step: step) { _ in true }
            if row.isEstimated == true { reading.forecast = points } else { reading.measured = points }
        }
        return reading
    }

    private struct Answer: Decodable {
        var zone: String?
        var datetime: String?
        var carbonIntensity: Double?
        var isEstimated: Bool?
        var temporalGranularity: String?
        var history: [Row]?
        var data: [Row]?
        var forecast: [Row]?
    }

    private struct Row: Decodable {
        var datetime: String
        /// Null where the service does not know.
        var carbonIntensity: Double?
        var isEstimated: Bool?
    }

    private static func seconds(_ granularity: String?) -> Int64 {
        switch granularity {
        case "5_minutes": 300
        case "15_minutes": 900
        case "daily": 86400
        default: 3600
        }
    }

    /// In any order; of two rows for one time the later in the answer counts.
    private static func points(
        _ rows: [Row], _ name: String, step: Int64, where isWanted: (Row) -> Bool
    ) throws(CarbonError) -> [SignalPoint] {
        guard rows.count <= JSONAnswer.mostRows else {
            throw CarbonError(.badSignal, "\(service): \(rows.count) rows are too many")
        }
        var values: [Timestamp: Double] = [:]
        for (index, row) in rows.enumerated() {
            let place = service + ": " + (name.isEmpty ? "" : "\(name)[\(index)].")
            guard let time = SignalTime.parse(row.datetime) else {
                throw CarbonError(.badSignal, "\(place)datetime \"\(row.datetime.prefix(40))\" is not a time")
            }
            guard isWanted(row), let value = row.carbonIntensity else { continue }
            values[time] = try SignalQuantity.intensity.checked(value, "\(place)carbonIntensity")
        }
        let ordered = values.sorted { $0.key < $1.key }.map { (time: $0.key, value: $0.value) }
        return .holding(ordered, single: step)
    }
}
