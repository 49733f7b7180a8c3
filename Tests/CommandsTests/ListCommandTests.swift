import JobAPI
import Testing

@Suite struct ListCommandTests {
    static let replies = [
        "GET /v1/jobs": [try? FakeServer.Reply.json(JobList(jobs: [Samples.queued, Samples.job()]))].compactMap { $0 }
    ]

    @Test func table() async throws {
        try await FakeServer.with(Self.replies) { server in
            let outcome = await Terminal().run(["list"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                ID  NAME                  USER  STATE      TIME     J  gCO2e  REASON
                 8  evil\\x1b]0;pwned\\x07  ada   queued        -     -      -  waits for 2 cpus
                 7  fashion               ada   succeeded  45 s  1235  0.123  exited with status 0

                """)
            #expect(server.asked.map(\.target) == ["/v1/jobs"])
        }
    }

    @Test func terminalOutputIsColouredAndFits() async throws {
        try await FakeServer.with(Self.replies) { server in
            let outcome = await Terminal(isTerminal: true).run(["list"], socket: server.socket)
            #expect(outcome.out.contains("\u{1b}[32msucceeded\u{1b}[0m"))
            // The name's own escape sequence must not get through.
            #expect(!outcome.out.contains("\u{1b}]"))
        }
    }

    @Test func json() async throws {
        try await FakeServer.with(["GET /v1/jobs": [try .json(JobList(jobs: [Samples.job()]))]]) { server in
            let outcome = await Terminal().run(["list", "--format", "json"], socket: server.socket)
            expectSnapshot(
                outcome.out,
                """
                {
                  "jobs" : [
                    {
                      "attempt" : 1,
                      "ended_at" : "2026-11-24T08:01:45.000Z",
                      "energy" : {
                        "active_j" : 1200.5,
                        "carbon_g" : 0.12345,
                        "carbon_high_g" : 0.14,
                        "carbon_low_g" : 0.11,
                        "energy_high_j" : 1400,
                        "energy_j" : 1234.5,
                        "energy_low_j" : 1100,
                        "gap_s" : 0,
                        "reserved_idle_j" : 34,
                        "tier" : "table"
                      },
                      "exit_status" : 0,
                      "id" : 7,
                      "kind" : "train",
                      "name" : "fashion",
                      "progress" : {
                        "epoch" : 3,
                        "epochs" : 10,
                        "samples" : 960,
                        "step" : 5,
                        "steps" : 100
                      },
                      "project" : "vision",
                      "queue" : "batch",
                      "reason" : "exited with status 0",
                      "resources" : {
                        "cpus" : 2,
                        "gpus" : 0,
                        "memory_bytes" : 2147483648,
                        "time_limit_s" : 3600
                      },
                      "started_at" : "2026-11-24T08:01:00.000Z",
                      "state" : "succeeded",
                      "submitted_at" : "2026-11-24T08:00:58.000Z",
                      "uid" : 1000,
                      "user" : "ada"
                    }
                  ]
                }

                """)
        }
    }

    @Test func filtersAreAsked() async throws {
        try await FakeServer.with(Self.replies) { server in
            let arguments = ["list", "--state", "queued", "--state", "timed-out", "--user", "a b&c", "--limit", "5"]
            let outcome = await Terminal().run(arguments, socket: server.socket)
            #expect(outcome.status == 0)
            #expect(server.asked.map(\.target) == ["/v1/jobs?state=queued,timed-out&user=a%20b%26c&limit=5"])
        }
    }

    @Test func nothing() async throws {
        try await FakeServer.with(["GET /v1/jobs": [try .json(JobList(jobs: []))]]) { server in
            #expect(await Terminal().run(["list"], socket: server.socket).out == "no jobs\n")
        }
    }

    @Test func socketMayBeNamedInFrontOrBehind() async throws {
        try await FakeServer.with(Self.replies) { server in
            for arguments in [
                ["--socket", server.socket, "list"], ["--socket=\(server.socket)", "list"],
                ["list", "--socket", server.socket],
            ] {
                #expect(await Terminal().run(arguments).status == 0)
            }
        }
    }

    @Test func closedOutputIsNoTrouble() async throws {
        try await FakeServer.with(Self.replies) { server in
            let outcome = await Terminal(outputIsClosed: true).run(["list"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.err.isEmpty)
        }
    }
}
