/// A number of bytes, such as a memory limit.
package struct ByteSize: Hashable, Comparable, Sendable, Codable, AdditiveArithmetic {
    package var bytes: Int64

    package init(bytes: Int64) {
        self.bytes = bytes
    }

    package static func mebibytes(_ count: Int64) -> ByteSize { ByteSize(bytes: count << 20) }
    package static func gibibytes(_ count: Int64) -> ByteSize { ByteSize(bytes: count << 30) }

    package static let zero = ByteSize(bytes: 0)

    package static func + (a: ByteSize, b: ByteSize) -> ByteSize { ByteSize(bytes: a.bytes + b.bytes) }
    package static func - (a: ByteSize, b: ByteSize) -> ByteSize { ByteSize(bytes: a.bytes - b.bytes) }
    package static func < (a: ByteSize, b: ByteSize) -> Bool { a.bytes < b.bytes }

    package init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension ByteSize: CustomStringConvertible {
    /// For people, in binary units: `512 MiB`, `1.5 GiB`.
    package var description: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(bytes)
        var index = 0
        while abs(value) >= 1024, index < units.count - 1 {
            value /= 1024
            index += 1
        }
        return significant(value) + " " + units[index]
    }
}

extension ByteSize {
    /// Reads `2 GiB`, `500MB`, `1024 B`. Binary units are powers of 1024, decimal units powers of 1000. Not negative.
    package init(parsing text: String) throws(UnitError) {
        let value = try Quantity(parsing: text, expecting: "a size such as \"2 GiB\"")
        let factors: [String: Double] = [
            "B": 1, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776,
            "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
        ]
        guard let factor = factors[value.unit], value.number >= 0, value.number * factor < 9e18 else {
            throw UnitError(text: text, expected: "a size in B, KiB, MiB, GiB or TiB (or kB, MB, GB, TB)")
        }
        self.init(bytes: Int64(saturating: value.number * factor))
    }
}
