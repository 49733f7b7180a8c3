/// A job's number in its ledger, counted from 1 and never reused.
package struct JobID: Hashable, Comparable, Sendable, Codable {
    package var number: Int64

    package init(_ number: Int64) {
        self.number = number
    }

    /// Reads `42`; nil for anything else.
    package init?(_ text: String) {
        guard let number = Int64(text), number > 0 else { return nil }
        self.number = number
    }

    package static func < (a: JobID, b: JobID) -> Bool { a.number < b.number }

    package init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}

extension JobID: CustomStringConvertible {
    package var description: String { String(number) }
}
