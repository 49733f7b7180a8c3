/// A mass of CO2-equivalent, kept in whole micrograms so that parts add up to a total exactly.
package struct CarbonMass: Hashable, Comparable, Sendable, Codable, AdditiveArithmetic {
    /// The mass in µg.
    package var micrograms: Int64

    package init(micrograms: Int64) {
        self.micrograms = micrograms
    }

    package init(grams: Double) {
        self.micrograms = Int64(saturating: grams * 1e6)
    }

    package static let zero = CarbonMass(micrograms: 0)

    package var grams: Double { Double(micrograms) / 1e6 }

    package static func + (a: CarbonMass, b: CarbonMass) -> CarbonMass {
        CarbonMass(micrograms: a.micrograms + b.micrograms)
    }
    package static func - (a: CarbonMass, b: CarbonMass) -> CarbonMass {
        CarbonMass(micrograms: a.micrograms - b.micrograms)
    }
    package static func < (a: CarbonMass, b: CarbonMass) -> Bool { a.micrograms < b.micrograms }

    package init(from decoder: any Decoder) throws {
        micrograms = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(micrograms)
    }
}

extension CarbonMass: CustomStringConvertible {
    package var description: String {
        let magnitude = abs(grams)
        if magnitude >= 1e3 { return significant(grams / 1e3) + " kg" }
        if magnitude > 0, magnitude < 0.1 { return significant(grams * 1e3) + " mg" }
        return significant(grams) + " g"
    }
}

/// Carbon intensity of electricity in grams of CO2e per kWh, location-based.
package struct CarbonIntensity: Hashable, Comparable, Sendable, Codable {
    package var gramsPerKilowattHour: Double

    package init(gramsPerKilowattHour: Double) {
        self.gramsPerKilowattHour = gramsPerKilowattHour
    }

    package static func < (a: CarbonIntensity, b: CarbonIntensity) -> Bool {
        a.gramsPerKilowattHour < b.gramsPerKilowattHour
    }

    package init(from decoder: any Decoder) throws {
        gramsPerKilowattHour = try decoder.singleValueContainer().decode(Double.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(gramsPerKilowattHour)
    }
}

extension CarbonIntensity: CustomStringConvertible {
    package var description: String { significant(gramsPerKilowattHour) + " g/kWh" }
}
