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

extension CarbonMass {
    /// Reads `15 kg`, `200 g`, `1.5 t`. Not negative.
    package init(parsing text: String) throws(UnitError) {
        let value = try Quantity(parsing: text, expecting: "a mass of CO2e such as \"15 kg\"")
        guard let factor = ["mg": 1e-3, "g": 1, "kg": 1e3, "t": 1e6][value.unit], value.number >= 0,
            value.number * factor < 9.2e12
        else {
            throw UnitError(text: text, expected: "a mass of CO2e in mg, g, kg or t")
        }
        self.init(grams: value.number * factor)
    }
}

extension CarbonIntensity {
    /// Reads `300 g/kWh`, `0.3 kg/kWh`, `300 kg/MWh`. From 0 to 10,000 g/kWh, more than burning anything gives.
    package init(parsing text: String) throws(UnitError) {
        let value = try Quantity(parsing: text, expecting: "an intensity such as \"300 g/kWh\"")
        guard let factor = ["g/kWh": 1.0, "kg/kWh": 1e3, "kg/MWh": 1][value.unit],
            (0...1e4).contains(value.number * factor)
        else {
            throw UnitError(text: text, expected: "an intensity in g/kWh, from 0 to 10000")
        }
        self.init(gramsPerKilowattHour: value.number * factor)
    }
}
