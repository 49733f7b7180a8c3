import Glibc
import JobAPI
import Testing

@testable import JobClient

/// The client against servers that do not keep to the protocol.
@Suite struct JobClientTests {
    private func failure(
        _ reply: FakeServer.Reply, limit: Int = 1 << 20, timeout: Duration = .seconds(30)
    ) async throws -> ClientError? {
        var caught: ClientError?
        try await FakeServer.with(["GET /v1/health": [reply]]) { server in
            do {
                _ = try await JobClient.with(socket: server.socket, timeout: timeout, bodyLimit: limit) { client in
                    try await client.health()
                }
            } catch let error as ClientError {
                caught = error
            }
        }
        return caught
    }

    @Test func answersAreDecoded() async throws {
        let health = Health(
            version: "1", mode: "user", pid: 5, since: Samples.start, stateDirectory: "/s", peerUid: 1000)
        try await FakeServer.with(["GET /v1/health": [try .json(health)]]) { server in
            let answer = try await JobClient.with(socket: server.socket) { try await $0.health() }
            #expect(answer == health)
        }
    }

    @Test func oversizedAnswer() async throws {
        let reply = FakeServer.Reply(chunks: [[UInt8]](repeating: [UInt8](repeating: 0x20, count: 600), count: 2))
        #expect(try await failure(reply, limit: 1000) == .tooLarge(call: "GET /v1/health", limit: 1000))
    }

    @Test func cutAnswer() async throws {
        let error = try await failure(FakeServer.Reply(chunks: [Array("{\"version\":".utf8)], isCut: true))
        guard case .broken? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func answersThatAreNotTheApi() async throws {
        for reply in [
            FakeServer.Reply.text("{\"version\": 1}"), .text("<html>"), .text("oops", status: 500),
            .text(String(repeating: "[", count: 100_000)),
        ] {
            let error = try await failure(reply)
            guard case .malformed(let call, _)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(call == "GET /v1/health")
        }
    }

    @Test func silenceTimesOut() async throws {
        // Held for a request that never comes.
        let reply = FakeServer.Reply(chunks: [[0x20]], heldUntil: "GET /never")
        let timeout = Duration.milliseconds(50)
        let error = try await failure(reply, timeout: timeout)
        #expect(error == .timeout(call: "GET /v1/health", after: timeout))
    }

    @Test func socketsNobodyListensOn() async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try write("", to: directory + "/plain")
        let long = "/tmp/" + String(repeating: "x", count: 200)
        for path in [directory + "/plain", directory + "/missing", long, ""] {
            await #expect(
                performing: {
                    try await JobClient.with(socket: path) { _ = try await $0.health() }
                },
                throws: { error in
                    guard case .unreachable(path, _)? = error as? ClientError else { return false }
                    return true
                })
        }
    }

    /// The daemon went away before it answered: the same submission comes again, and is known by its key.
    @Test func aSubmissionThatWasNotAnsweredIsSentAgain() async throws {
        let answer = Submitted(id: JobID(7), state: .queued, reason: "accepted")
        let cut = FakeServer.Reply(chunks: [], isCut: true)
        try await FakeServer.with(["POST /v1/jobs": [cut, cut, try .json(answer, status: 201)]]) { server in
            let spec = JobSpec(resources: .init(cpus: 1), command: .init(argv: ["true"]))
            let submitted = try await JobClient.with(socket: server.socket) { try await $0.submit(spec) }
            #expect(submitted == answer)
            let asked = server.asked
            #expect(asked.count == 3 && Set(asked.map(\.idempotencyKey)).count == 1)
            #expect(asked.first?.idempotencyKey.flatMap { SubmissionKey($0) } != nil)
            _ = try await JobClient.with(socket: server.socket) { try await $0.submit(spec) }
            #expect(Set(server.asked.map(\.idempotencyKey)).count == 2)
        }
    }

    /// It may be the submission that ends the daemon.
    @Test func aSubmissionThatBreaksEachConnectionIsNotSentForEver() async throws {
        let cut = FakeServer.Reply(chunks: [], isCut: true)
        try await FakeServer.with(["POST /v1/jobs": [cut]]) { server in
            let spec = JobSpec(resources: .init(cpus: 1), command: .init(argv: ["true"]))
            await #expect(throws: ClientError.self) {
                _ = try await JobClient.with(socket: server.socket) { try await $0.submit(spec) }
            }
            #expect(server.asked.count == 5)
        }
    }

    /// However it ends after the connection broke: the submission was sent.
    @Test func whatFollowsABrokenConnectionDoesNotTakeTheDoubtAway() {
        let doubt = "the job may have been accepted all the same: see mlctl list"
        for error in [
            ClientError.unreachable(socket: "/s", cause: "there is no such socket"), .busy(socket: "/s"),
            .broken(call: "POST /v1/jobs", cause: "x"),
        ] {
            let after = error.afterBroken("POST /v1/jobs")
            guard case .broken = after else {
                Issue.record("\(after)")
                continue
            }
            #expect(after.description.hasSuffix(doubt), "\(after)")
        }
    }

    /// What nobody may do twice is not sent twice.
    @Test func otherRequestsAreSentOnce() async throws {
        let cut = FakeServer.Reply(chunks: [], isCut: true)
        try await FakeServer.with(["POST /v1/jobs/7/cancel": [cut], "GET /v1/devices": [cut]]) { server in
            try await JobClient.with(socket: server.socket) { client in
                await #expect(throws: ClientError.self) { _ = try await client.cancel(JobID(7)) }
                await #expect(throws: ClientError.self) { _ = try await client.devices() }
            }
            #expect(server.asked.count == 2)
        }
    }

    @Test func aSubmissionThatIsNeverAnsweredMayHaveBeenAccepted() async throws {
        let cut = FakeServer.Reply(chunks: [], isCut: true)
        try await FakeServer.with(["POST /v1/jobs": [cut]]) { server in
            let spec = JobSpec(resources: .init(cpus: 1), command: .init(argv: ["true"]))
            await #expect(
                performing: {
                    try await JobClient.with(socket: server.socket) {
                        _ = try await $0.submit(spec, within: .milliseconds(300))
                    }
                }, throws: { "\($0)".contains("may have been accepted all the same: see mlctl list") })
            #expect(server.asked.count > 1)
        }
    }

    @Test func aBacklogThatIsFullIsTriedAgain() async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        // Nobody accepts, and one fits.
        let full = try FullSocket(directory + "/s")
        await #expect(
            performing: {
                try await JobClient.with(socket: full.path, timeout: .milliseconds(200)) { _ = try await $0.devices() }
            }, throws: { ($0 as? ClientError) == .busy(socket: full.path) })
        async let answer: Void = JobClient.with(socket: full.path) { client in
            await #expect(throws: ClientError.self) { _ = try await client.devices() }
        }
        try await Task.sleep(for: .milliseconds(100))
        // It gets in, and is hung up on: no longer busy.
        full.drain()
        try await answer
    }

    @Test func hostileEventsEndTheStream() async throws {
        for data in ["event: state\ndata: {}\n\n", "event: log\ndata: nonsense\n\n"] {
            let reply = FakeServer.Reply(type: "text/event-stream", chunks: [Array(data.utf8)])
            try await FakeServer.with(["GET /v1/jobs/7/events": [reply]]) { server in
                await #expect(
                    performing: {
                        try await JobClient.with(socket: server.socket) { client in
                            try await client.events(of: JobID(7), logs: true) { for try await _ in $0 {} }
                        }
                    },
                    throws: { error in
                        guard case .malformed? = error as? ClientError else { return false }
                        return true
                    })
            }
        }
    }

    @Test func unknownKindsOfEventsArePassedOver() async throws {
        var chunks = [Array("event: novelty\ndata: {\"x\": 1}\n\n: ping\n\n".utf8)]
        chunks += try FakeServer.Reply.events([Samples.state(.succeeded, at: 1)]).chunks
        let reply = FakeServer.Reply(type: "text/event-stream", chunks: chunks)
        try await FakeServer.with(["GET /v1/jobs/7/events": [reply]]) { server in
            let events = try await JobClient.with(socket: server.socket) { client in
                try await client.events(of: JobID(7), from: .now, logs: false) { stream in
                    var events: [JobEvent] = []
                    for try await event in stream { events.append(event) }
                    return events
                }
            }
            #expect(events == [Samples.state(.succeeded, at: 1)])
            #expect(server.asked.map(\.target) == ["/v1/jobs/7/events?from=now&logs=false"])
        }
    }
}
