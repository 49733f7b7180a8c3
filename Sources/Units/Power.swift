/// Electrical power in watts.
package struct Power: Hashable, Comparable, Sendable, Codable, AdditiveArithmetic {
    package var watts: Double

    package init(watts: Double) {
        self.watts = watts
    }

    package static let zero = Power(watts: 0)

    package static func + (a: Power, b: Power) -> Power { Power(watts: a.watts + b.watts) }
    package static func - (a: Power, b: Power) -> Power { Power(watts: a.watts - b.watts) }
    package static func < (a: Power, b: Power) -> Bool { a.watts < b.watts }

    /// Energy drawn at this power over `seconds`.
    package func over(seconds: Double) -> Energy { Energy(joules: watts * seconds) }

    package init(from decoder: any Decoder) throws {
        watts = try decoder.singleValueContainer().decode(Double.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(watts)
    }
}

extension Power: CustomStringConvertible {
    package var description: String {
        abs(watts) >= 1e4 ? significant(watts / 1e3) + " kW" : significant(watts) + " W"
    }
}

extension Power {
    /// Reads `450 W`, `1.5 kW`, `250 mW`. A bare number is refused: the unit is what people get wrong.
    package init(parsing text: String) throws(UnitError) {
        let value = try Quantity(parsing: text, expecting: "a power such as \"450 W\"")
        guard let factor = ["mW": 1e-3, "W": 1, "kW": 1e3][value.unit] else {
            throw UnitError(text: text, expected: "a power in mW, W or kW")
        }
        self.init(watts: value.number * factor)
    }
}
