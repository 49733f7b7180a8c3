/// How a source of signals writes.
package enum SignalFormat: String, Hashable, Sendable, CaseIterable {
    case csv
    case electricityMaps = "electricity-maps"
    case ukCarbonIntensity = "uk-carbon-intensity"

    /// Reads a file or an answer in this format.
    /// - Parameters:
    ///   - name: of the file or the source, for messages.
    ///   - column: of a CSV file, where its name is not one of those that are known.
    ///   - isForecast: whether all of a CSV file is a forecast.
    package func read(
        _ bytes: [UInt8], name: String, quantity: SignalQuantity = .intensity, column: String? = nil,
        isForecast: Bool = false
    ) throws(CarbonError) -> SignalReading {
        switch self {
        case .csv:
            return try SignalCSV.read(
                bytes, name: name, quantity: quantity, column: column, isForecast: isForecast)
        case .electricityMaps, .ukCarbonIntensity:
            guard quantity == .intensity else {
                throw CarbonError(
                    .badSignal, "\(name): \(rawValue) has no prices", hint: "prices are read from CSV files")
            }
            return self == .electricityMaps
                ? try ElectricityMapsAnswer.read(bytes) : try UKCarbonIntensityAnswer.read(bytes)
        }
    }
}
