import ConfigFile

/// A key that is looked at before it is known.
private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// Refuses keys that nobody would read: a misspelt limit must not become no limit.
    func rejectUnknownKeys<Key: CodingKey & CaseIterable>(_ known: Key.Type) throws {
        let names = Key.allCases.map(\.stringValue)
        for key in try container(keyedBy: AnyKey.self).allKeys where !names.contains(key.stringValue) {
            let written = snakeCase(key.stringValue)
            let near = nearMatch(written, among: names.map(snakeCase)).map { "; did you mean \"\($0)\"?" } ?? ""
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "unknown key \"\(written.prefix(80))\"\(near)"))
        }
    }
}

/// As the key stands on the wire: `timeLimitS` is `time_limit_s`.
private func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { result, character in
        if character.isUppercase, !result.isEmpty { result += "_" }
        result += character.lowercased()
    }
}
