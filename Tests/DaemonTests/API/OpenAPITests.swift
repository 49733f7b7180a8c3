import ConfigFile
import Foundation
import JobAPI
import Testing
import Units

@testable import Daemon

/// `docs/openapi.json`, `docs/api.md` and the daemon say the same.
@Suite(.serialized) struct OpenAPITests {
    /// With a call for each of the things that can be done to a job.
    private func expanded(_ calls: some Sequence<String>) -> Set<String> {
        Set(
            calls.flatMap { call in
                call.contains("{action}")
                    ? JobAction.allCases.map { call.replacingOccurrences(of: "{action}", with: $0.rawValue) } : [call]
            })
    }

    /// The first column of the table of calls, and what the second says.
    private func described() throws -> [(call: String, text: String)] {
        try OpenAPIDocument.text("api.md").split(separator: "\n").compactMap { line in
            guard let match = line.firstMatch(of: /^\| `([A-Z]+ \/v1\/[^`]+)` \| (.*) \|$/) else { return nil }
            var call = String(match.1)
            for (name, parameter) in [("ID", "{id}"), ("NAME", "{name}"), ("ACTION", "{action}")] {
                call = call.replacing(try Regex("/\(name)\\b"), with: "/" + parameter)
            }
            return (call, String(match.2))
        }
    }

    @Test func theCallsAreTheSameInAllThree() async throws {
        let document = try OpenAPIDocument()
        try await DaemonParts.with { parts in
            let api = API(
                jobs: parts.jobs, meter: parts.meter, ledger: parts.ledger, auditor: Auditor(parts.ledger),
                hub: EventHub(), settings: await parts.jobs.settings, startedAt: .now())
            let routes = expanded(api.routes)
            #expect(routes.count > 25)
            #expect(expanded(document.operations.map(\.name)) == routes)
            let described = try described()
            #expect(expanded(described.map(\.call)) == routes)
        }
    }

    @Test func theParametersOfAPathAreDescribed() throws {
        for operation in try OpenAPIDocument().operations {
            let inPath = Set(operation.path.matches(of: /\{([a-z]+)\}/).map { String($0.1) })
            let described = operation.parameters.filter { $0["in"]?.text == "path" }.compactMap { $0["name"]?.text }
            #expect(Set(described) == inPath, "\(operation.name)")
            #expect(operation.responses.keys.contains { $0.hasPrefix("2") }, "\(operation.name)")
        }
    }

    /// Both ways: `limit=N` in the text is a parameter, and each parameter is in the text.
    @Test func theParametersOfAQueryAreTheSameInBothDocuments() throws {
        let texts = Dictionary(try described().map { ($0.call, $0.text) }) { $0 + $1 }
        for operation in try OpenAPIDocument().operations where texts[operation.name] != nil {
            let text = texts[operation.name] ?? ""
            let parameters = operation.parameters.filter { $0["in"]?.text == "query" }.compactMap { $0["name"]?.text }
            for name in parameters {
                #expect(text.contains("`\(name)=") || text.contains("`\(name)`"), "\(operation.name): \(name)")
            }
            let written = text.matches(of: /`([a-z-]+)=/).map { String($0.1) }
            #expect(Set(written).subtracting(parameters).isEmpty, "\(operation.name)")
        }
    }

    @Test func everyErrorHasItsStatus() throws {
        let document = try OpenAPIDocument()
        var named: Set<Int> = []
        for operation in document.operations {
            for entry in operation.responses.entries where !entry.key.hasPrefix("2") {
                named.formUnion(Int(entry.key).map { [$0] } ?? [])
                let schema = entry.node.table.flatMap { document.jsonSchema($0) }
                #expect(schema?["$ref"]?.text == "#/components/schemas/Error", "\(operation.name) \(entry.key)")
            }
        }
        #expect(named == Set(APIError.Code.allCases.map { APIError($0, "").httpStatus }))
    }

    @Test func everyTypeHasItsSchemaAndNoOtherKeys() throws {
        let document = try OpenAPIDocument()
        let samples = OpenAPISamples.values
        let names = samples.map(\.name) + OpenAPISamples.enumerations.map(\.name)
        #expect(names.sorted() == document.schemas.keys.sorted())
        for (name, value) in samples { try check(value, name, document) }
        for (name, cases) in OpenAPISamples.enumerations {
            let schema = try #require(document.schemas[name]?.table)
            #expect(schema["enum"]?.list.compactMap(\.text) == cases, "\(name)")
        }
    }

    private func check<T: Codable>(_ value: T, _ name: String, _ document: OpenAPIDocument) throws {
        // What is nil is not encoded, and its key would be missed.
        let unset = Mirror(reflecting: value).children.filter {
            let mirror = Mirror(reflecting: $0.value)
            return mirror.displayStyle == .optional && mirror.children.isEmpty
        }
        // The place of an event is its id, no part of its JSON.
        #expect(unset.compactMap(\.label).filter { (name, $0) != ("JobEvent", "position") } == [], "\(name)")
        let schema = try #require(document.schemas[name]?.table, "\(name)")
        let json = try JSONDecoder().decode(ConfigTable.self, from: JSON.encode(value))
        #expect(document.problems(ConfigNode(.table(json)), schema, at: name) == [])
        let properties = schema["properties"]?.table ?? ConfigTable()
        #expect(Set(properties.keys) == Set(json.keys), "\(name)")
        // What cannot be left out is what it cannot be read without.
        let required = json.keys.filter { key in
            var rest = json
            rest[key] = nil
            return (try? JSON.decode(T.self, from: JSONEncoder().encode(rest))) == nil
        }
        #expect(Set(schema["required"]?.list.compactMap(\.text) ?? []) == Set(required), "\(name)")
    }

    /// The table of a past job's keys in `docs/api.md`.
    @Test func theKeysOfHistoryAreInTheText() throws {
        let rows = try OpenAPIDocument.text("api.md").split(separator: "\n").drop { !$0.hasPrefix("| key of a job") }
        let keys = rows.prefix { $0.hasPrefix("|") }.dropFirst(2).flatMap { row in
            (row.split(separator: "|").first ?? "").matches(of: /`([a-z_]+)`/).map { String($0.1) }
        }
        let schema = try OpenAPIDocument().schemas["PastJob"]?.table
        #expect(Set(keys) == Set(schema?["properties"]?.table?.keys ?? []))
    }
}
