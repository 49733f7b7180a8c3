/// Each score under its metric's name.
extension Evaluation: Encodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(samples, forKey: Key("samples"))
        try container.encodeIfPresent(loss, forKey: Key("loss"))
        for (name, value) in values { try container.encode(value, forKey: Key(name)) }
        try container.encodeIfPresent(confusion, forKey: Key("confusion"))
    }
}
