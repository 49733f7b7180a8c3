package import Units

/// A value of a configuration document together with the line it stands on.
///
/// Documents come from TOML files (with lines) or from JSON over the wire (line 0: there is no file to point into).
package struct ConfigNode: Hashable, Sendable {
    package indirect enum Value: Hashable, Sendable {
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        case timestamp(Timestamp)
        case array([ConfigNode])
        case table(ConfigTable)
    }

    package var value: Value
    /// The 1-based line in the file, or 0 when the value did not come from a file.
    package var line: Int

    package init(_ value: Value, line: Int = 0) {
        self.value = value
        self.line = line
    }

    /// What kind of value this is, for messages.
    package var kind: String {
        switch value {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a number"
        case .boolean: "true or false"
        case .timestamp: "a date and time"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

/// The keys of one table in the order they were written.
package struct ConfigTable: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var key: String
        /// The line of the key itself, which for a sub-table is its header.
        package var line: Int
        package var node: ConfigNode
    }

    package private(set) var entries: [Entry]
    package var line: Int
    private var positions: [String: Int]

    package init(line: Int = 0) {
        self.entries = []
        self.positions = [:]
        self.line = line
    }

    package var keys: [String] { entries.map(\.key) }
    package var isEmpty: Bool { entries.isEmpty }

    package func entry(_ key: String) -> Entry? { positions[key].map { entries[$0] } }

    /// The value of `key`; setting nil removes it, setting a new key appends it.
    package subscript(key: String) -> ConfigNode? {
        get { positions[key].map { entries[$0].node } }
        set {
            if let newValue {
                set(key, newValue, line: entry(key)?.line ?? newValue.line)
            } else if let position = positions[key] {
                entries.remove(at: position)
                positions = Dictionary(
                    uniqueKeysWithValues: entries.enumerated().map { ($0.element.key, $0.offset) })
            }
        }
    }

    package mutating func set(_ key: String, _ node: ConfigNode, line: Int) {
        if let position = positions[key] {
            entries[position].node = node
        } else {
            positions[key] = entries.count
            entries.append(Entry(key: key, line: line, node: node))
        }
    }

    package static func == (a: ConfigTable, b: ConfigTable) -> Bool { a.entries == b.entries }
    package func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}
