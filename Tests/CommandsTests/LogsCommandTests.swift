import JobAPI
import Testing

@Suite struct LogsCommandTests {
    static let wild = "one\n\u{1b}[2Jtwo\ttabs\r\n"

    @Test func whatIsThere() async throws {
        try await FakeServer.with(["GET /v1/jobs/7/logs": [.text(Self.wild)]]) { server in
            let arguments = ["logs", "7", "--stream", "stderr", "--tail", "100"]
            let outcome = await Terminal().run(arguments, socket: server.socket)
            #expect(outcome.status == 0)
            // Into a pipe: byte for byte.
            #expect(outcome.out == Self.wild)
            #expect(server.asked.map(\.target) == ["/v1/jobs/7/logs?stream=stderr&tail=100"])
        }
    }

    @Test func terminalIsProtected() async throws {
        try await FakeServer.with(["GET /v1/jobs/7/logs": [.text(Self.wild)]]) { server in
            let shown = await Terminal(isTerminal: true).run(["logs", "7"], socket: server.socket)
            #expect(shown.out == "one\n\\x1b[2Jtwo\ttabs\r\n")
            let raw = await Terminal(isTerminal: true).run(["logs", "7", "--raw"], socket: server.socket)
            #expect(raw.out == Self.wild)
        }
    }

    private static func at(_ position: String, _ event: JobEvent) -> JobEvent {
        var event = event
        event.position = position
        return event
    }

    @Test func followSurvivesARestart() async throws {
        let first: [JobEvent] = [
            Samples.state(.running, at: 0), Self.at("3.0", Samples.log("a\nb", at: 1)),
            Self.at("3.1", Samples.log("!", "stderr", at: 1)),
        ]
        // The output goes on where it was, the rest is told again.
        let second: [JobEvent] = [
            Samples.state(.running, at: 0), Self.at("5.1", Samples.log("c\n", at: 2)),
            Self.at("5.2", Samples.log("?", "stderr", at: 2)), Samples.state(.succeeded, at: 3, exit: 0),
        ]
        let replies: [String: [FakeServer.Reply]] = [
            "GET /v1/jobs/7/events": [try .events(first, isCut: true), try .events(second)],
            "GET /v1/jobs/7": [
                try .json(Samples.detail(Samples.job(state: .running, exit: nil))), try .json(Samples.detail()),
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["logs", "7", "-f"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(outcome.out == "a\nb!c\n?")
            let asked = server.asked.filter { $0.name.hasSuffix("events") }
            #expect(asked.map(\.target) == Array(repeating: "/v1/jobs/7/events?from=start&logs=true", count: 2))
            #expect(asked.map(\.lastEventID) == [nil, "3.1"])
        }
    }

    @Test func followOneStream() async throws {
        let events: [JobEvent] = [
            Samples.log("out\n", at: 1), Samples.log("err\n", "stderr", at: 1), Samples.state(.failed, at: 2, exit: 3),
        ]
        let replies: [String: [FakeServer.Reply]] = [
            "GET /v1/jobs/7/events": [try .events(events)], "GET /v1/jobs/7": [try .json(Samples.detail())],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["logs", "7", "-f", "--stream", "stderr"], socket: server.socket)
            #expect(outcome.out == "err\n")
        }
    }

    @Test func tailAndFollowExcludeEachOther() async throws {
        #expect(await Terminal().run(["logs", "7", "-f", "--tail", "5"]).status == 2)
        #expect(await Terminal().run(["logs", "7", "--tail", "0"]).status == 2)
    }
}
