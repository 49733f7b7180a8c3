import JobAPI
import Testing

@Suite struct HoldCommandTests {
    @Test func aQueuedJobIsHeld() async throws {
        let refusal = APIError(
            .conflict, "job 8 does not wait to be started", hint: "mlctl show 8 says what it does")
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs/8/hold": [try .error(refusal)],
            "POST /v1/jobs/7/hold": [
                try .json(Samples.job(state: .queued, reason: "held by ada", exit: nil))
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["hold", "8", "7"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.out == "job 7 queued: held by ada\n")
            #expect(
                outcome.err == """
                    mlctl: job 8: job 8 does not wait to be started
                    hint: mlctl show 8 says what it does

                    """)
        }
    }
}
