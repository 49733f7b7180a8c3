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
}
