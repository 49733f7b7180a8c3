import JobAPI
import Testing

@Suite struct SuspendCommandTests {
    @Test func aRunningJobStandsStillAndAWholeArrayByItsNumber() async throws {
        let isArray = APIError(.isArray, "9 is an array of 3 jobs", hint: "name one of them")
        let array = ArrayReport(
            id: JobID(9), name: "sweep", user: "ada", states: ["suspended": 2, "queued": 1], jobs: [], changed: 2)
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs/7/suspend": [
                try .json(Samples.job(state: .suspended, reason: "suspended by ada", exit: nil))
            ],
            "POST /v1/jobs/9/suspend": [try .error(isArray)],
            "POST /v1/arrays/9/suspend": [try .json(array)],
        ]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["suspend", "7", "9"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(
                outcome.out == """
                    job 7 suspended: suspended by ada
                    array 9: suspend done to 2; now 1 queued, 2 suspended

                    """)
            #expect(outcome.err == "")
        }
    }
}
