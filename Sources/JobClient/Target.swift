/// A path with its query, escaped as it is built.
struct Target: Sendable {
    private(set) var text: String
    private var hasQuery = false

    init(_ segments: String...) {
        text = "/v1" + segments.map { "/" + Self.escaped($0) }.joined()
    }

    /// Adds `name=value` when there is a value.
    func query(_ name: String, _ value: String?) -> Target {
        guard let value else { return self }
        var copy = self
        copy.text += (hasQuery ? "&" : "?") + name + "=" + Self.escaped(value)
        copy.hasQuery = true
        return copy
    }

    /// Percent-encodes everything but the unreserved characters of RFC 3986 and the comma of lists.
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: ","):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
            }
        }
        return result
    }
}
