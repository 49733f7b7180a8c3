/// What is wrong with a `key.path=VALUE` of the command line.
package struct ConfigAssignmentError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
}

extension ConfigTable {
    /// Applies `key.path=VALUE`, as of `--set`. VALUE is TOML if it can be read as such, else the text itself.
    ///
    /// - Returns: the top-level key that was touched.
    @discardableResult
    package mutating func assign(_ assignment: String) throws(ConfigAssignmentError) -> String {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, keys.allSatisfy({ !$0.isEmpty }), let section = keys.first else {
            throw ConfigAssignmentError(
                description: "--set \(assignment): it is written key.path=VALUE, as in --set resources.cpus=2")
        }
        let root = ConfigNode(.table(self))
        let changed = try Self.replacing(keys[...], in: root, with: Self.value(parts[1]), assignment: assignment)
        if case .table(let new) = changed.value { self = new }
        return section
    }

    private static func value(_ text: String) -> ConfigNode.Value {
        // A text that brings further lines could smuggle in further keys; as TOML it must be this one value.
        if let table = try? TOMLParser.parse("value = " + text, file: ""), table.keys == ["value"],
            let node = table["value"]
        {
            return node.value
        }
        return .string(text)
    }

    private static func replacing(
        _ keys: ArraySlice<String>, in node: ConfigNode?, with value: ConfigNode.Value, assignment: String
    ) throws(ConfigAssignmentError) -> ConfigNode {
        guard let key = keys.first else { return ConfigNode(value, line: node?.line ?? 0) }
        switch node?.value {
        case nil, .table:
            var table = ConfigTable()
            if case .table(let old)? = node?.value { table = old }
            table[key] = try replacing(keys.dropFirst(), in: table[key], with: value, assignment: assignment)
            return ConfigNode(.table(table), line: node?.line ?? 0)
        case .array(var elements):
            // An element of an array of tables, counted from 0, as in model.layer.0.units.
            guard let index = Int(key), elements.indices.contains(index) else {
                throw ConfigAssignmentError(
                    description:
                        "--set \(assignment): \"\(key)\" is not one of the \(elements.count) elements, counted from 0")
            }
            elements[index] = try replacing(
                keys.dropFirst(), in: elements[index], with: value, assignment: assignment)
            return ConfigNode(.array(elements), line: node?.line ?? 0)
        case .some:
            throw ConfigAssignmentError(
                description:
                    "--set \(assignment): what holds \"\(key)\" is \(node?.kind ?? "a value"), not a table")
        }
    }
}
