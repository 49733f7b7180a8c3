import JobAPI
import Testing

@testable import Commands

@Suite struct WaitCommandTests {
    @Test func worstStatus() async throws {
        let failed = Samples.job(8, state: .failed, reason: "exited with status 3", exit: 3)
        let replies: [String: [FakeServer.Reply]] = [
            "GET /v1/jobs/7": [try .json(Samples.detail())], "GET /v1/jobs/8": [try .json(Samples.detail(failed))],
            "GET /v1/jobs/7/events": [try .events([Samples.state(.succeeded, at: 45, exit: 0)])],
            "GET /v1/jobs/8/events": [try .events([Samples.state(.failed, at: 45, exit: 3)])],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["wait", "8", "7"], socket: server.socket)
            #expect(outcome.status == 3)
            expectSnapshot(
                outcome.out,
                """
                job 8 failed after 45 s (exited with status 3): 1235 J (1100 J-1400 J), 0.123 gCO2e (0.11-0.14), table
                job 7 succeeded after 45 s: 1235 J (1100 J-1400 J), 0.123 gCO2e (0.11-0.14), table

                """)
        }
    }

    @Test func mistypedIdComesToLightAtOnce() async throws {
        let replies: [String: [FakeServer.Reply]] = [
            "GET /v1/jobs/7": [try .json(Samples.detail())],
            "GET /v1/jobs/70": [try .error(APIError(.notFound, "there is no job 70"))],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["wait", "7", "70"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.err == "mlctl: there is no job 70\n")
            #expect(server.asked.allSatisfy { !$0.name.hasSuffix("events") })
        }
    }

    private func array(_ states: [String: Int]) throws -> FakeServer.Reply {
        try .json(ArrayReport(id: JobID(9), name: "sweep", user: "ada", states: states, jobs: []))
    }

    /// Of an array only the counts are asked for: it may have more jobs than one answer lists.
    @Test func anArrayIsWaitedForUntilItsLastJobHasEnded() async throws {
        let isArray = APIError(.isArray, "9 is an array of 20000 jobs", hint: "name one of them")
        let replies: [String: [FakeServer.Reply]] = [
            "GET /v1/jobs/9": [try .error(isArray)],
            "GET /v1/arrays/9": [
                try array(["queued": 1, "succeeded": 19_999]), try array(["suspended": 1, "succeeded": 19_999]),
                try array(["succeeded": 20_000]),
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["wait", "9"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(outcome.out == "array 9 ended: 20000 succeeded\n")
            let looks = server.asked.map(\.target).filter { $0.hasPrefix("/v1/arrays") }
            #expect(looks == Array(repeating: "/v1/arrays/9?limit=1", count: 3))
        }
    }

    @Test func anArrayOfWhichOneFailedIsNoSuccess() async throws {
        let isArray = APIError(.isArray, "9 is an array of 20000 jobs", hint: "name one of them")
        let replies: [String: [FakeServer.Reply]] = [
            "GET /v1/jobs/9": [try .error(isArray)],
            "GET /v1/arrays/9": [try array(["failed": 1, "succeeded": 19_999])],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["wait", "9"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.out == "array 9 ended: 19999 succeeded, 1 failed\n")
        }
    }

    @Test func statuses() {
        #expect(exitStatus(of: Samples.job()) == 0)
        #expect(exitStatus(of: Samples.job(state: .failed, exit: 42)) == 42)
        #expect(exitStatus(of: Samples.job(state: .failed, exit: nil, signal: 11)) == 139)
        #expect(exitStatus(of: Samples.job(state: .timedOut, exit: nil, signal: 9)) == 137)
        // Never started, or ended in good order when told to: not a success all the same.
        #expect(exitStatus(of: Samples.job(state: .failed, exit: nil)) == 1)
        #expect(exitStatus(of: Samples.job(state: .cancelled, exit: 0)) == 1)
        // Hostile numbers do not wrap round to success.
        #expect(exitStatus(of: Samples.job(state: .failed, exit: 256)) == 1)
        #expect(exitStatus(of: Samples.job(state: .failed, exit: nil, signal: .max)) == 1)
    }
}
