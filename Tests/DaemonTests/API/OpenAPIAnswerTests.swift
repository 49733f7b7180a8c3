import ConfigFile
import Foundation
import JobAPI
import Testing

/// What a daemon really answers is what `docs/openapi.json` says.
@Suite(.serialized) struct OpenAPIAnswerTests {
    private let policy = """
        [site]
        zone = "FR"
        [carbon]
        price = "0.30 EUR/kWh"
        [machine]
        power-cap = "2000 W"
        [budget.default]
        energy = "10 kWh/day"
        carbon = "1 kg/day"
        money = "5 EUR/day"
        """

    private func answer(_ daemon: RunningDaemon, _ path: String) throws -> (status: Int, body: String) {
        let url = "http://localhost" + path
        let answer = try RunningDaemon.run(
            "/usr/bin/curl", ["-sg", "--unix-socket", daemon.socket, "-w", "\n%{http_code}", url])
        let lines = answer.out.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    @Test func eachAnswerIsAsItsSchemaSays() async throws {
        let document = try OpenAPIDocument()
        try await RunningDaemon.with(policy: policy) { daemon in
            let id = try await daemon.submit(["sh", "-c", "echo hello"])
            #expect(try await daemon.ended(id).job.state == .succeeded)
            let array = try await daemon.submit(["true"]) { $0.array = try? JobArray("1-2") }
            var seen = 0
            for operation in document.operations where operation.method == "GET" {
                let number = operation.path.contains("arrays") ? array : id
                let path = operation.path.replacingOccurrences(of: "{id}", with: "\(number)")
                let (status, body) = try answer(daemon, path)
                #expect(status == 200, "\(operation.name): \(body)")
                guard let schema = document.jsonSchema(operation.responses["200"]?.table) else { continue }
                let json = try JSONDecoder().decode(ConfigNode.self, from: Data(body.utf8))
                #expect(document.problems(json, schema, at: operation.name) == [])
                seen += 1
            }
            #expect(seen >= 12)
        }
    }

    /// A parameter that is no text is looked at: what it cannot be is refused, by an error as the document has it.
    @Test func eachParameterIsRead() async throws {
        let document = try OpenAPIDocument()
        try await RunningDaemon.with(policy: policy) { daemon in
            let id = try await daemon.submit(["true"])
            _ = try await daemon.ended(id)
            var seen = 0
            for operation in document.operations where operation.method == "GET" && !operation.path.hasSuffix("events")
            {
                for parameter in operation.parameters where parameter["in"]?.text == "query" {
                    let name = try #require(parameter["name"]?.text)
                    let schema = try #require(parameter["schema"]?.table.flatMap(document.resolved))
                    let isText = schema["type"]?.text == "string"
                    guard !isText || schema["format"] != nil || schema["enum"] != nil || schema["pattern"] != nil else {
                        continue
                    }
                    let path = operation.path.replacingOccurrences(of: "{id}", with: "\(id)") + "?\(name)=nonsense"
                    let (status, body) = try answer(daemon, path)
                    #expect(status == 400, "\(operation.name) \(name): \(body)")
                    let json = try JSONDecoder().decode(ConfigNode.self, from: Data(body.utf8))
                    let error = try #require(document.schemas["Error"]?.table)
                    #expect(document.problems(json, error, at: operation.name) == [])
                    seen += 1
                }
            }
            #expect(seen >= 10)
        }
    }
}
