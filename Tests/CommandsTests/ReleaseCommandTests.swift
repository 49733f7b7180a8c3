import JobAPI
import Testing

@Suite struct ReleaseCommandTests {
    @Test func aHeldJobIsReleased() async throws {
        let refusal = APIError(.forbidden, "only an admin may release a job that policy holds", hint: "ask an admin")
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs/8/release": [try .error(refusal)],
            "POST /v1/jobs/7/release": [
                try .json(Samples.job(state: .queued, reason: "released by ada", exit: nil))
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["release", "8", "7"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.out == "job 7 queued: released by ada\n")
            #expect(
                outcome.err == """
                    mlctl: job 8: only an admin may release a job that policy holds
                    hint: ask an admin

                    """)
            #expect(server.asked.map(\.name) == ["POST /v1/jobs/8/release", "POST /v1/jobs/7/release"])
        }
    }
}
