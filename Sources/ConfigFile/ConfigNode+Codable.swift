import Units

// On the wire a document is plain JSON: tables are objects (their keys untouched), times are RFC 3339 strings. Lines
// stay behind: they mean nothing without the file.

extension ConfigNode: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try Value(from: decoder))
    }

    package func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}

extension ConfigNode.Value: Codable {
    package init(from decoder: any Decoder) throws {
        if decoder.codingPath.count > 64 {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "nested more than 64 levels deep"))
        }
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .float(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([ConfigNode].self) {
            self = .array(value)
        } else {
            self = .table(try container.decode(ConfigTable.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .float(let value): try container.encode(value)
        case .boolean(let value): try container.encode(value)
        case .timestamp(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .table(let value): try container.encode(value)
        }
    }
}

extension ConfigTable: Codable {
    package init(from decoder: any Decoder) throws {
        // As a dictionary, because a key strategy of the decoder would rewrite the keys of a keyed container.
        let values = try decoder.singleValueContainer().decode([String: ConfigNode].self)
        self.init()
        for (key, node) in values.sorted(by: { $0.key < $1.key }) { set(key, node, line: 0) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.node) }))
    }
}
