/// So much in each period of the calendar: `50 kWh/month`.
package struct Allowance<Amount: Hashable & Sendable & CustomStringConvertible>: Hashable, Sendable {
    package var amount: Amount
    package var period: CalendarPeriod

    package init(_ amount: Amount, per period: CalendarPeriod) {
        self.amount = amount
        self.period = period
    }
}

extension Allowance: CustomStringConvertible {
    package var description: String { "\(amount)/\(period.rawValue)" }
}

extension Allowance where Amount == Energy {
    /// Reads `50 kWh/month`.
    package init(parsing text: String) throws(UnitError) {
        let parts = try AllowanceText(text, example: "50 kWh/month")
        self.init(try Energy(parsing: parts.amount), per: parts.period)
    }
}

extension Allowance where Amount == CarbonMass {
    /// Reads `15 kg/month`.
    package init(parsing text: String) throws(UnitError) {
        let parts = try AllowanceText(text, example: "15 kg/month")
        self.init(try CarbonMass(parsing: parts.amount), per: parts.period)
    }
}

extension Allowance where Amount == Money {
    /// Reads `200 EUR/month`.
    package init(parsing text: String) throws(UnitError) {
        let parts = try AllowanceText(text, example: "200 EUR/month")
        self.init(try Money(parsing: parts.amount), per: parts.period)
    }
}

/// The two sides of the last slash.
private struct AllowanceText {
    var amount: String
    var period: CalendarPeriod

    init(_ text: String, example: String) throws(UnitError) {
        let periods = CalendarPeriod.allCases.map(\.rawValue).joined(separator: ", ")
        guard let slash = text.lastIndex(of: "/"),
            let period = CalendarPeriod(rawValue: text[text.index(after: slash)...].trimmingSpaces())
        else {
            throw UnitError(text: text, expected: "an amount per \(periods), such as \"\(example)\"")
        }
        amount = text[..<slash].trimmingSpaces()
        self.period = period
    }
}
