import JobAPI
import Testing

@Suite struct ResumeCommandTests {
    @Test func aSuspendedJobGoesOnAndOthersAreToldWhyNot() async throws {
        let refusal = APIError(.conflict, "job 8 is not suspended", hint: "mlctl show 8 says what it does")
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs/8/resume": [try .error(refusal)],
            "POST /v1/jobs/7.2/resume": [
                try .json(Samples.job(state: .running, reason: "resumed by ada", exit: nil))
            ],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["resume", "8", "7.2"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.out == "job 7 running: resumed by ada\n")
            #expect(
                outcome.err == """
                    mlctl: job 8: job 8 is not suspended
                    hint: mlctl show 8 says what it does

                    """)
        }
    }
}
