/// An amount of money, kept in whole millionths of the currency's unit so that parts add up to a total exactly.
///
/// Amounts of different currencies are never added or compared; whoever holds two asks for ``currency`` first.
package struct Money: Hashable, Sendable, Codable {
    /// The amount in millionths.
    package var micros: Int64
    /// ISO 4217, such as `EUR`.
    package var currency: String

    package init(micros: Int64, currency: String) {
        self.micros = micros
        self.currency = currency
    }

    /// The nearest whole millionth to `amount`.
    package init(amount: Double, currency: String) {
        self.init(micros: Int64(saturating: amount * 1e6), currency: currency)
    }

    package var amount: Double { Double(micros) / 1e6 }

    /// Whether `text` has the form of an ISO 4217 code: three capitals.
    package static func isCurrency(_ text: String) -> Bool {
        text.utf8.count == 3 && text.utf8.allSatisfy { (0x41...0x5A).contains($0) }
    }
}

extension Money: CustomStringConvertible {
    package var description: String { fixed(amount, decimals: 2, trimming: true) + " " + currency }
}

extension Money {
    /// Reads `200 EUR`. Not negative.
    package init(parsing text: String) throws(UnitError) {
        let expected = "an amount of money such as \"200 EUR\""
        let value = try Quantity(parsing: text, expecting: expected)
        guard Self.isCurrency(value.unit), value.number >= 0, value.number < 9e12 else {
            throw UnitError(text: text, expected: expected)
        }
        self.init(amount: value.number, currency: value.unit)
    }
}

/// What a kilowatt hour costs.
package struct EnergyPrice: Hashable, Sendable, Codable {
    /// In the currency's unit; markets also know prices below zero.
    package var perKilowattHour: Double
    /// ISO 4217, such as `EUR`.
    package var currency: String

    package init(perKilowattHour: Double, currency: String) {
        self.perKilowattHour = perKilowattHour
        self.currency = currency
    }

    /// What `energy` costs at this price.
    package func cost(of energy: Energy) -> Money {
        Money(amount: energy.kilowattHours * perKilowattHour, currency: currency)
    }
}

extension EnergyPrice: CustomStringConvertible {
    package var description: String { significant(perKilowattHour) + " \(currency)/kWh" }
}

extension EnergyPrice {
    /// Reads `0.32 EUR/kWh` or `320 EUR/MWh`, from -1000 to 1000 a kWh.
    package init(parsing text: String) throws(UnitError) {
        let expected = "a price such as \"0.32 EUR/kWh\""
        let value = try Quantity(parsing: text, expecting: expected)
        let parts = value.unit.split(separator: "/", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
        guard parts.count == 2, Money.isCurrency(parts[0]), let factor = ["kWh": 1, "MWh": 1e-3][parts[1]],
            abs(value.number * factor) <= 1000
        else { throw UnitError(text: text, expected: expected) }
        self.init(perKilowattHour: value.number * factor, currency: parts[0])
    }
}
