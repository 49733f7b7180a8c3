/// A text that is not the quantity it should be.
package struct UnitError: Error, Equatable, CustomStringConvertible {
    package var text: String
    /// What would have been accepted, for the message.
    package var expected: String

    package init(text: String, expected: String) {
        self.text = text
        self.expected = expected
    }

    package var description: String { "\"\(text)\" is not \(expected)" }
}

/// A finite number and the unit written after it, as in `2 GiB`.
struct Quantity {
    var number: Double
    var unit: String

    init(parsing text: String, expecting expected: String) throws(UnitError) {
        let trimmed = text.trimmingSpaces()
        let end = trimmed.firstIndex { !($0.isASCII && ($0.isNumber || $0 == "." || $0 == "-" || $0 == "+")) }
        guard let end, let number = Double(trimmed[..<end]), number.isFinite else {
            throw UnitError(text: text, expected: expected)
        }
        self.number = number
        self.unit = trimmed[end...].trimmingSpaces()
    }
}

extension StringProtocol {
    func trimmingSpaces() -> String {
        var slice = self[...]
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        return String(slice)
    }
}

/// A number for people: three significant digits at least, no exponent, no needless zeros after the point.
package func significant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : (value < 0 ? "-inf" : "inf") }
    var decimals = 0
    var limit = 1.0
    for _ in 1..<digits { limit *= 10 }
    let magnitude = abs(value)
    var scaled = magnitude
    while scaled > 0, scaled < limit, decimals < 9 {
        scaled *= 10
        decimals += 1
    }
    return fixed(value, decimals: decimals, trimming: true)
}

/// `value` with `decimals` digits after the point.
package func fixed(_ value: Double, decimals: Int, trimming: Bool = false) -> String {
    guard value.isFinite, abs(value) < 9e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let magnitude = abs(value)
    var whole = magnitude.rounded(.down)
    var fraction = ((magnitude - whole) * scale).rounded()
    if fraction >= scale {
        whole += 1
        fraction = 0
    }
    var digits = String(Int64(fraction))
    digits = String(repeating: "0", count: max(0, decimals - digits.count)) + digits
    if trimming { while digits.last == "0" { digits.removeLast() } }
    let sign = value < 0 && (whole > 0 || fraction > 0) ? "-" : ""
    let number = sign + String(Int64(whole))
    return decimals == 0 || digits.isEmpty ? number : number + "." + digits
}
