import ConfigFile
import Foundation
import JobAPI

/// `docs/openapi.json`, and whether a value is what one of its schemas says.
struct OpenAPIDocument {
    let root: ConfigTable

    init() throws {
        root = try JSONDecoder().decode(ConfigTable.self, from: Data(try Self.text("openapi.json").utf8))
    }

    /// A file of `docs`.
    static func text(_ name: String) throws -> String {
        let here = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
        return try String(
            contentsOfFile: here.dropLast(4).joined(separator: "/") + "/docs/" + name, encoding: .utf8)
    }

    struct Operation {
        var method: String
        var path: String
        var table: ConfigTable

        var parameters: [ConfigTable] { table["parameters"]?.list.compactMap(\.table) ?? [] }
        var responses: ConfigTable { table["responses"]?.table ?? ConfigTable() }
        /// `GET /v1/jobs`.
        var name: String { "\(method) \(path)" }
    }

    var operations: [Operation] {
        (root["paths"]?.table?.entries ?? []).flatMap { path in
            (path.node.table?.entries ?? []).compactMap { method in
                method.node.table.map { Operation(method: method.key.uppercased(), path: path.key, table: $0) }
            }
        }
    }

    var schemas: ConfigTable { root["components"]?.table?["schemas"]?.table ?? ConfigTable() }

    /// What a `$ref` stands for, or the table itself.
    func resolved(_ table: ConfigTable) -> ConfigTable? {
        guard let reference = table["$ref"]?.text else { return table }
        return reference.split(separator: "/").dropFirst().reduce(root as ConfigTable?) { $0?[String($1)]?.table }
    }

    /// The schema of a JSON body, of a request or of an answer.
    func jsonSchema(_ body: ConfigTable?) -> ConfigTable? {
        body.flatMap(resolved)?["content"]?.table?["application/json"]?.table?["schema"]?.table
    }

    /// What about the value is otherwise than the schema says; a key that the schema does not have too.
    func problems(_ value: ConfigNode, _ schema: ConfigTable, at place: String) -> [String] {
        guard let schema = resolved(schema) else { return ["\(place): the schema's reference leads nowhere"] }
        if let known = schema["enum"]?.list.compactMap(\.text), !known.contains(value.text ?? "") {
            return ["\(place): \(value.text ?? value.kind) is none of \(known)"]
        }
        switch (schema["type"]?.text, value.value) {
        case (nil, _), ("integer", .integer), ("number", .integer), ("number", .float), ("boolean", .boolean):
            return []
        case ("string", .string(let text)):
            guard schema["format"]?.text == "date-time" else { return [] }
            return (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))) == nil
                ? ["\(place): \(text) is no time"] : []
        case ("array", .array(let values)):
            guard let items = schema["items"]?.table else { return ["\(place): the schema has no items"] }
            return values.enumerated().flatMap { problems($1, items, at: "\(place)[\($0)]") }
        case ("object", .table(let table)): return problems(table, schema, at: place)
        case (let type, _): return ["\(place): is \(value.kind), not \(type ?? "")"]
        }
    }

    private func problems(_ table: ConfigTable, _ schema: ConfigTable, at place: String) -> [String] {
        let properties = schema["properties"]?.table ?? ConfigTable()
        let others = schema["additionalProperties"]?.table
        let missing = (schema["required"]?.list.compactMap(\.text) ?? []).filter { table[$0] == nil }
        return missing.map { "\(place): \"\($0)\" is missing" }
            + table.entries.flatMap { entry in
                let place = "\(place).\(entry.key)"
                guard let schema = properties[entry.key]?.table ?? others else {
                    return ["\(place) is not in the schema"]
                }
                return problems(entry.node, schema, at: place)
            }
    }
}

extension ConfigNode {
    var table: ConfigTable? { if case .table(let table) = value { table } else { nil } }
    var list: [ConfigNode] { if case .array(let list) = value { list } else { [] } }
    var text: String? { if case .string(let text) = value { text } else { nil } }
}
