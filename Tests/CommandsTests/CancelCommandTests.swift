import JobAPI
import Testing

@Suite struct CancelCommandTests {
    @Test func eachIsTried() async throws {
        let conflict = APIError(.conflict, "job 8 has already succeeded")
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs/8/cancel": [try .error(conflict)],
            "POST /v1/jobs/7/cancel": [
                try .json(Samples.job(state: .cancelled, reason: "cancelled by ada", exit: nil))
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["cancel", "8", "7"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.out == "job 7 cancelled: cancelled by ada\n")
            #expect(outcome.err == "mlctl: job 8: job 8 has already succeeded\n")
            #expect(server.asked.map(\.name) == ["POST /v1/jobs/8/cancel", "POST /v1/jobs/7/cancel"])
        }
    }
}
