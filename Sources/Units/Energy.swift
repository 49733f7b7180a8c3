/// An amount of energy, kept in whole microjoules so that parts can add up to a total exactly.
///
/// Range: about ±9.2e12 J (2.5 GWh), far above what one machine draws in its life.
package struct Energy: Hashable, Comparable, Sendable, Codable, AdditiveArithmetic {
    /// The amount in µJ.
    package var microjoules: Int64

    package init(microjoules: Int64) {
        self.microjoules = microjoules
    }

    /// The nearest whole microjoule to `joules`; values beyond the range are clamped, NaN is zero.
    package init(joules: Double) {
        self.microjoules = Int64(saturating: joules * 1e6)
    }

    package init(kilowattHours: Double) {
        self.init(joules: kilowattHours * 3.6e6)
    }

    package static let zero = Energy(microjoules: 0)

    package var joules: Double { Double(microjoules) / 1e6 }
    /// 1 kWh is 3.6 MJ.
    package var kilowattHours: Double { joules / 3.6e6 }

    package static func + (a: Energy, b: Energy) -> Energy { Energy(microjoules: a.microjoules + b.microjoules) }
    package static func - (a: Energy, b: Energy) -> Energy { Energy(microjoules: a.microjoules - b.microjoules) }
    package static func < (a: Energy, b: Energy) -> Bool { a.microjoules < b.microjoules }

    package init(from decoder: any Decoder) throws {
        microjoules = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microjoules)
    }
}

extension Energy: CustomStringConvertible {
    /// For people: `12.3 J`, `4.56 kJ`, `1.23 kWh`.
    package var description: String {
        let magnitude = abs(joules)
        if magnitude >= 3.6e6 { return significant(kilowattHours) + " kWh" }
        if magnitude >= 1e4 { return significant(joules / 1e3) + " kJ" }
        return significant(joules) + " J"
    }
}

extension Int64 {
    /// The nearest integer, clamped to the range; zero for NaN. A hostile or broken reading must not trap.
    package init(saturating value: Double) {
        if value.isNaN {
            self = 0
        } else if value >= 9.2e18 {
            self = .max
        } else if value <= -9.2e18 {
            self = .min
        } else {
            self = Int64(value.rounded())
        }
    }
}

extension Energy {
    /// Reads `50 kWh`, `3.6 MJ`, `200 Wh`. Not negative.
    package init(parsing text: String) throws(UnitError) {
        let value = try Quantity(parsing: text, expecting: "an energy such as \"50 kWh\"")
        let factors = ["J": 1, "kJ": 1e3, "MJ": 1e6, "GJ": 1e9, "Wh": 3.6e3, "kWh": 3.6e6, "MWh": 3.6e9]
        guard let factor = factors[value.unit], value.number >= 0, value.number * factor < 9.2e12 else {
            throw UnitError(text: text, expected: "an energy in J, kJ, MJ, Wh, kWh or MWh, up to 2.5 GWh")
        }
        self.init(joules: value.number * factor)
    }
}
