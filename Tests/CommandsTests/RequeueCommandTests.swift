import JobAPI
import Testing

@Suite struct RequeueCommandTests {
    @Test func aCopyOfAnEndedJobIsCalledOne() async throws {
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs/3/requeue": [
                try .json(Samples.job(state: .queued, reason: "accepted", exit: nil))
            ],
            "POST /v1/jobs/7/requeue": [
                try .json(Samples.job(state: .running, reason: "running", exit: nil))
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["requeue", "3", "7"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(
                outcome.out == """
                    job 7 queued: accepted (a copy of job 3, which had ended)
                    job 7 running: running

                    """)
        }
    }
}
