package import Units

/// How things stand now, for rules that ask. Nil is "not known", and what is not known matches no rule.
package struct Conditions: Hashable, Sendable {
    /// Of the grid.
    package var intensity: CarbonIntensity?
    package var price: EnergyPrice?
    /// What the machine draws.
    package var power: Power?

    package init(intensity: CarbonIntensity? = nil, price: EnergyPrice? = nil, power: Power? = nil) {
        self.intensity = intensity
        self.price = price
        self.power = power
    }

    package static let unknown = Conditions()
}

/// A line drawn in one of the quantities that move with the grid.
package enum GridThreshold: Hashable, Sendable {
    case intensity(CarbonIntensity)
    case price(EnergyPrice)

    /// Whether the present value is above; nil when it is not known, or is in another currency.
    package func isExceeded(in conditions: Conditions) -> Bool? {
        switch self {
        case .intensity(let limit): conditions.intensity.map { $0 > limit }
        case .price(let limit):
            conditions.price.flatMap {
                $0.currency == limit.currency ? $0.perKilowattHour > limit.perKilowattHour : nil
            }
        }
    }

    /// Whether this is the higher of two that can be compared; nil where they cannot.
    func isAbove(_ other: GridThreshold) -> Bool? {
        switch (self, other) {
        case (.intensity(let a), .intensity(let b)): a > b
        case (.price(let a), .price(let b)): a.currency == b.currency ? a.perKilowattHour > b.perKilowattHour : nil
        default: nil
        }
    }
}

extension GridThreshold: CustomStringConvertible {
    package var description: String {
        switch self {
        case .intensity(let value): value.description
        case .price(let value): value.description
        }
    }

    /// Reads `400 g/kWh` or `0.4 EUR/kWh`.
    init(parsing text: String) throws(UnitError) {
        if let intensity = try? CarbonIntensity(parsing: text) {
            self = .intensity(intensity)
        } else if let price = try? EnergyPrice(parsing: text) {
            self = .price(price)
        } else {
            throw UnitError(
                text: text, expected: "an intensity such as \"400 g/kWh\" or a price such as \"0.4 EUR/kWh\"")
        }
    }
}
