import JobAPI
import Testing

@Suite struct WhyCommandTests {
    @Test func table() async throws {
        try await FakeServer.with(["GET /v1/jobs/8/why": [try .json(Samples.why)]]) { server in
            let outcome = await Terminal().run(["why", "8"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                job         8
                state       queued
                reason      needs 2 cpus; 1 of 2 is free
                rule        policies/default.toml:12
                what helps  job 7 ends in about 3 min; or ask for 1 cpu

                """)
        }
    }

    @Test func json() async throws {
        try await FakeServer.with(["GET /v1/jobs/8/why": [try .json(Samples.why)]]) { server in
            let outcome = await Terminal().run(["why", "8", "--format", "json"], socket: server.socket)
            expectSnapshot(
                outcome.out,
                """
                {
                  "hint" : "job 7 ends in about 3 min; or ask for 1 cpu",
                  "id" : 8,
                  "reason" : "needs 2 cpus; 1 of 2 is free",
                  "rule" : "policies/default.toml:12",
                  "state" : "queued"
                }

                """)
        }
    }

    /// Of one that waits for its turn also when that comes, as far as anybody can tell.
    @Test func whenItWouldStart() async throws {
        var late = Samples.why
        (late.expectedStart, late.ahead) = (Samples.at(600), 1)
        var unknown = Samples.why
        unknown.ahead = 256
        let answers = [try FakeServer.Reply.json(late), try .json(unknown), try .json(late)]
        try await FakeServer.with(["GET /v1/jobs/8/why": answers]) { server in
            let told = await Terminal().run(["why", "8"], socket: server.socket)
            expectSnapshot(
                told.out,
                """
                job          8
                state        queued
                reason       needs 2 cpus; 1 of 2 is free
                rule         policies/default.toml:12
                would start  2026-11-24T08:11:00Z, an estimate: 1 job before it
                what helps   job 7 ends in about 3 min; or ask for 1 cpu

                """)
            let untold = await Terminal().run(["why", "8"], socket: server.socket)
            #expect(untold.out.contains("would start  nobody can tell: 256 jobs before it\n"), "\(untold.out)")
            let json = await Terminal().run(["why", "8", "--format", "json"], socket: server.socket)
            #expect(json.out.contains("\"ahead\" : 1,\n  \"expected_start\" : \"2026-11-24T08:11:00"), "\(json.out)")
        }
    }
}
