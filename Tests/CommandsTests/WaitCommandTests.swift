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
