import ConfigFile
import Units

// Values with a shape of their own, each checked where it is read so that the problem names its line.

extension PolicyLoader {
    func atLeast(_ least: Duration, _ key: String, _ reader: ConfigReader) -> Duration? {
        guard let time = reader.duration(key) else { return nil }
        if time < least {
            reader.report(key, "\"\(reader.name).\(key)\" must be at least \(least.brief)")
            return nil
        }
        return time
    }

    func within(_ least: Duration, _ most: Duration, _ key: String, _ reader: ConfigReader) -> Duration? {
        guard let time = reader.duration(key) else { return nil }
        if time >= least, time <= most { return time }
        reader.report(
            key, "\"\(reader.name).\(key)\" is \(time.brief); it must be from \(least.brief) to \(most.brief)")
        return nil
    }

    /// A zone as the carbon table and the public services write it: `DE`, `US-CAL-CISO`.
    func zone(_ reader: ConfigReader) -> String? {
        guard let zone = reader.string("zone") else { return nil }
        let isWord = zone.utf8.allSatisfy {
            (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
        }
        if !isWord || !(2...16).contains(zone.utf8.count) {
            let known = zones?(zone).code.map { "did you mean \"\($0)\"?" }
            reader.report(
                "zone", "\"\(reader.name).zone\" is \"\(printable(zone))\"; it must be a zone in capitals",
                hint: known ?? "a country such as \"DE\"; of a service also a part of one, such as \"US-CAL-CISO\"")
            return nil
        }
        return zone
    }

    /// Names of queues and profiles appear in commands and tables: letters, digits, `-`, `_`, `.`.
    func checkName(_ name: String, _ reader: ConfigReader) {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        if !isPlain || !(1...32).contains(name.utf8.count) {
            reader.report(
                "", "\"\(name)\" is not a name for [\(reader.name)]",
                hint: "use up to 32 letters, digits, \"-\", \"_\" and \".\"")
        }
    }
}

/// A quantity with its unit. A bare number, the commonest slip, is told what it lacks.
func quantity<T>(
    _ key: String, _ reader: ConfigReader, example: String, or words: String? = nil,
    _ parse: (String) throws(UnitError) -> T
) -> T? {
    let name = "\"\(reader.name).\(key)\""
    let hint = "for example \(key) = \"\(example)\"" + (words.map { ", or \($0)" } ?? "")
    switch reader.node(key)?.value {
    case nil: return nil
    case .integer, .float: reader.report(key, "\(name) is a number without its unit", hint: hint)
    case .string(let text):
        do {
            return try parse(text)
        } catch {
            let text = printable(error.text)
            reader.report(key, "\(name): \"\(text)\" is not \(error.expected)", hint: words.map { "or write \($0)" })
        }
    default: reader.report(key, "\(name) must be a text in quotes", hint: hint)
    }
    return nil
}
