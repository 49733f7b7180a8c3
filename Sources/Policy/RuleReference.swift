/// The place in a policy file that bound a decision, so that a person can go and read it.
package struct RuleReference: Hashable, Sendable, Codable {
    package var file: String
    /// 1-based.
    package var line: Int
    /// A rule's name, or a key such as `limits.max-running-per-user`.
    package var name: String

    package init(file: String, line: Int, name: String) {
        self.file = file
        self.line = line
        self.name = name
    }

    /// `policies/site.toml:12`.
    package var place: String { "\(file):\(line)" }
}

extension RuleReference: CustomStringConvertible {
    /// `nights (policies/site.toml:12)`.
    package var description: String { "\(name) (\(place))" }

    /// Reads what ``description`` wrote. No name has a bracket in it; a path may.
    package init?(_ description: String) {
        guard description.hasSuffix(")"), let open = description.firstIndex(of: "("),
            let colon = description[open...].lastIndex(of: ":"), description[..<open].hasSuffix(" "),
            let line = Int(description[description.index(after: colon)...].dropLast())
        else { return nil }
        self.init(
            file: String(description[description.index(after: open)..<colon]), line: line,
            name: String(description[..<open].dropLast()))
    }
}

/// A value of the policy and where it was set.
package struct Setting<Value: Hashable & Sendable>: Hashable, Sendable {
    package var value: Value
    /// Nil for a built-in value.
    package var source: RuleReference?

    package init(_ value: Value, source: RuleReference? = nil) {
        self.value = value
        self.source = source
    }

    /// `policies/site.toml:12`, or `built in`.
    package var place: String { source?.place ?? "built in" }
}
