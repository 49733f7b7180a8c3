import Units

/// Which column of a CSV file holds what, and in which unit.
struct SignalHeader {
    let names: [String]
    let time: Int
    let value: Int
    let forecast: Int?
    /// What each column's figures are multiplied with.
    private let factors: [Double]

    var count: Int { names.count }

    static let timeNames: Set = [
        "time", "timestamp", "datetime", "date", "datetimeutc", "timeutc", "timestamputc", "utc", "from", "start",
        "starttime", "validfrom", "pointtime", "hour",
    ]

    init(
        _ names: [String], place: String, quantity: SignalQuantity, column: String?
    ) throws(CarbonError) {
        guard names.count <= 1000 else { throw CarbonError(.badSignal, "\(place): more than 1000 columns") }
        let keys = names.map { $0.lowercased().filter { $0.isLetter || $0.isNumber } }
        guard let time = keys.firstIndex(where: Self.timeNames.contains) else {
            throw CarbonError(
                .badSignal, "\(place): no column is named as a time", hint: Self.hint(names, "time", quantity))
        }
        self.names = names
        self.time = time
        let candidates = names.indices.filter { index in
            index != time && !keys[index].contains("forecast") && Self.isValue(keys[index], quantity)
        }
        let forecasts = names.indices.filter { $0 != time && keys[$0].contains("forecast") }
        if let column {
            guard let chosen = names.firstIndex(of: column), chosen != time else {
                throw CarbonError(
                    .badSignal, "\(place): there is no column \"\(column.prefix(60))\"",
                    hint: "the columns are \(Self.list(names))")
            }
            value = chosen
        } else {
            // Of the direct and the life-cycle figures, those that the built-in table has as well.
            guard let chosen = candidates.first(where: { keys[$0].contains("lifecycle") }) ?? candidates.first else {
                throw CarbonError(
                    .badSignal, "\(place): no column is named as \(quantity == .price ? "a price" : "an intensity")",
                    hint: Self.hint(names, quantity.rawValue, quantity))
            }
            value = chosen
        }
        let chosen = value
        forecast = forecasts.first { $0 != chosen }
        factors = names.map { Self.factor($0.lowercased(), quantity) }
    }

    /// - Returns: nil for an empty field.
    func value(
        _ fields: [String], _ column: Int, place: String, quantity: SignalQuantity
    ) throws(CarbonError) -> Double? {
        let text = fields[column]
        if text.isEmpty { return nil }
        guard let number = Double(text) else {
            throw CarbonError(
                .badSignal, "\(place): \"\(text.prefix(40))\" in column \"\(names[column].prefix(60))\" is not a number"
            )
        }
        return try quantity.checked(number * factors[column], "\(place): column \"\(names[column].prefix(60))\"")
    }

    private static func isValue(_ key: String, _ quantity: SignalQuantity) -> Bool {
        let starts =
            quantity == .price
            ? ["price", "cost", "tariff", "dayaheadprice", "spotprice", "value"]
            : ["carbonintensity", "intensity", "actual", "gco2", "gperkwh", "co2", "value", "moer"]
        return starts.contains { key.hasPrefix($0) }
    }

    /// Exchanges quote per MWh, some services pounds per MWh; a kilogram per MWh is a gram per kWh.
    private static func factor(_ name: String, _ quantity: SignalQuantity) -> Double {
        let isPerMegawattHour = name.contains("/mwh") || name.contains("per mwh") || name.contains("per_mwh")
        switch quantity {
        case .price: return isPerMegawattHour ? 1e-3 : 1
        case .intensity: return isPerMegawattHour && name.contains("lb") ? 0.453_592_37 : 1
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(8).map { "\"\($0.prefix(40))\"" }.joined(separator: ", ")
    }

    private static func hint(_ names: [String], _ wanted: String, _ quantity: SignalQuantity) -> String {
        names.count == 1 && names[0].contains(";")
            ? "separate the fields by commas"
            : "name one \"\(wanted)\", as in \"time,\(quantity.rawValue)\"; the columns are \(list(names))"
    }
}
