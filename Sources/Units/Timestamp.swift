import FoundationEssentials

/// A moment of wall-clock time in whole microseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package init(seconds: Double) {
        self.microseconds = Int64(saturating: seconds * 1e6)
    }

    /// Seconds since 1970.
    package var seconds: Double { Double(microseconds) / 1e6 }

    /// The system's clock now. Pure code takes its time as an argument instead.
    package static func now() -> Timestamp { Timestamp(seconds: Date().timeIntervalSince1970) }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    package func advanced(by duration: Duration) -> Timestamp {
        Timestamp(microseconds: microseconds + Int64(saturating: duration.seconds * 1e6))
    }

    /// The time from `earlier` to this moment; negative when `earlier` is later.
    package func since(_ earlier: Timestamp) -> Duration { .microseconds(microseconds - earlier.microseconds) }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with whole seconds: `2026-11-24T08:00:00Z`.
    package var description: String { date.formatted(.iso8601) }

    /// RFC 3339 in UTC with milliseconds.
    package var precise: String { date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)) }

    /// The UTC day: `2026-11-24`.
    package var day: String { String(description.prefix(10)) }

    private var date: Date { Date(timeIntervalSince1970: seconds) }

    /// Reads RFC 3339 with a zone (`2026-11-24T08:00:00Z`, `...+01:00`, fractions allowed) or a bare UTC day `2026-11-24`.
    package init(parsing text: String) throws(UnitError) {
        let expected = "a time such as \"2026-11-24T08:00:00Z\" or a day such as \"2026-11-24\""
        let full = text.count == 10 ? text + "T00:00:00Z" : text
        let fractions = full.contains(".")
        do {
            let date = try Date(full, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: fractions))
            guard abs(date.timeIntervalSince1970) < 9e12 else { throw UnitError(text: text, expected: expected) }
            self.init(seconds: date.timeIntervalSince1970)
        } catch {
            throw UnitError(text: text, expected: expected)
        }
    }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(precise)
    }
}
