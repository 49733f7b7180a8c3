/// Why a setting cannot be turned.
package struct SweepError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var hint: String?

    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    package var description: String { message + (hint.map { "; " + $0 } ?? "") }
}

/// A setting of the policy and the values it is given in turn.
package struct Knob: Hashable, Sendable {
    /// The key as `docs/policy.md` has it: `queue.batch.priority`.
    package var name: String
    /// As they are written in a policy file, without the quotes of strings: `20`, `6 h`.
    package var values: [String]

    static let mostValues = 1000

    package init(name: String, values: [String]) throws(SweepError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isKey = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { Self.isBare($0) }
        }
        guard isKey, parts.count >= 2, name.utf8.count <= 200 else {
            throw SweepError("\"\(shown(name))\" is no key of a policy", hint: "write one such as queue.batch.priority")
        }
        guard (1...Self.mostValues).contains(values.count) else {
            throw SweepError("\(values.count) values for \(name)", hint: "give 1 to \(Self.mostValues)")
        }
        self.name = name
        self.values = values
    }

    /// Reads `queue.batch.priority=1,10,100` and `queue.batch.max-time=2..48/2 h`: a list, or from, to and step with an optional
    /// unit behind any of them.
    package init(parsing text: String) throws(SweepError) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else {
            throw SweepError(
                "\"\(shown(text))\" is no setting with its values",
                hint: "write queue.batch.priority=1,10,100 or queue.batch.max-time=2..48/2 h")
        }
        let name = Self.trimmed(parts[0])
        let values =
            try Self.range(Self.trimmed(parts[1]))
            ?? parts[1].split(separator: ",", maxSplits: Self.mostValues).map(Self.trimmed)
        try self.init(name: name, values: values)
    }

    /// One line of TOML that gives the setting a value.
    func line(_ value: String) -> String { "\(name) = \(Self.literal(value))\n" }

    // MARK: - Values

    private static func range(_ text: String) throws(SweepError) -> [String]? {
        guard let dots = text.firstRange(of: "..") else { return nil }
        let words = text[dots.upperBound...].split(separator: "/", maxSplits: 1)
        let problem = SweepError("\"\(shown(text))\" is no range", hint: "write FROM..TO/STEP, such as 0..48/6 h")
        guard words.count == 2, let first = quantity(text[..<dots.lowerBound]), let last = quantity(words[0]),
            let stride = quantity(words[1])
        else { throw problem }
        // The unit may stand behind any of the three, but it is one.
        let units = Set([first.unit, last.unit, stride.unit].filter { !$0.isEmpty })
        let (from, to, step) = (first.number, last.number, stride.number)
        guard units.count <= 1, step > 0, from <= to, (to - from) / step < Double(mostValues) else { throw problem }
        let count = Int(((to - from) / step + 1e-9).rounded(.down))
        return (0...count).map { index in
            let number = plain(from + Double(index) * step)
            return units.first.map { number + " " + $0 } ?? number
        }
    }

    /// `48`, `48 h` and `48h`; nil where there is no number in front, or a huge one.
    private static func quantity(_ text: some StringProtocol) -> (number: Double, unit: String)? {
        let text = trimmed(text)
        let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." || $0 == "-" }
        let unit = trimmed(text.dropFirst(digits.count))
        // `1e9` is no number of a unit "e9".
        guard let number = Double(digits), abs(number) < 1e12, !unit.contains(where: \.isNumber) else { return nil }
        return (number, unit)
    }

    /// `6`, `0.5`: what TOML and people read alike.
    private static func plain(_ value: Double) -> String {
        let rounded = (value * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var slice = text.drop { $0 == " " }
        while slice.last == " " { slice = slice.dropLast() }
        return String(slice)
    }

    private static func literal(_ value: String) -> String {
        let isNumber = !value.isEmpty && value.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 || $0 == 45 }
        if isNumber || value == "true" || value == "false" { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 95: true
        default: false
        }
    }
}
