import ConfigFile
import FoundationEssentials
import JobAPI
import Testing
import Units

@testable import Commands

@Suite struct RunCommandTests {
    static func replies(
        _ events: [JobEvent], ending job: JobRecord, heldUntil: String? = nil
    ) throws -> [String: [FakeServer.Reply]] {
        [
            "POST /v1/jobs": [try .json(Samples.submitted, status: 201)],
            "GET /v1/jobs/7/events": [try .events(events, heldUntil: heldUntil)],
            "GET /v1/jobs/7": [try .json(Samples.detail(job))],
            "POST /v1/jobs/7/cancel": [try .json(Samples.job(state: .running, reason: "being stopped", exit: nil))],
        ]
    }

    static func running() -> [JobEvent] {
        [Samples.state(.running, at: 0), Samples.log("out\n", at: 1), Samples.log("err\n", "stderr", at: 1)]
    }

    @Test func outputAndStatusComeThrough() async throws {
        let job = Samples.job(state: .failed, reason: "exited with status 5", exit: 5)
        let events = Self.running() + [Samples.state(.failed, at: 45, reason: "exited with status 5", exit: 5)]
        try await FakeServer.with(try Self.replies(events, ending: job)) { server in
            let outcome = await Terminal().run(["run", "--", "python3", "x.py"], socket: server.socket)
            #expect(outcome.status == 5)
            #expect(outcome.out == "out\n")
            expectSnapshot(
                outcome.err,
                """
                job 7 queued: waits for 2 cpus
                err
                job 7 failed after 45 s (exited with status 5): 1235 J (1100 J-1400 J), 0.123 gCO2e (0.11-0.14), table

                """)
        }
    }

    @Test func flagsBecomeTheJob() async throws {
        let events = [Samples.state(.succeeded, at: 45, exit: 0)]
        try await FakeServer.with(try Self.replies(events, ending: Samples.job())) { server in
            let arguments = [
                "run", "--name", "n", "--project", "p", "--queue", "q", "--cpus", "2", "--memory", "2 GiB", "--time",
                "1 h 30 min", "--gpus", "1", "--workdir", "sub", "--network", "--read-only", "~/data", "--read-write",
                "/out", "--device", "/dev/kfd", "--env", "A=b=c", "--env", "LANG", "--", "sh", "-c", "echo $A",
            ]
            let terminal = Terminal(environment: ["LANG": "C.UTF-8", "SECRET": "x"])
            #expect(await terminal.run(arguments, socket: server.socket).status == 0)
            let body = try #require(server.asked.first?.body)
            let spec = try JSON.decode(JobSpec.self, from: Data(body))
            let expected = JobSpec(
                name: "n", project: "p", queue: "q",
                resources: .init(cpus: 2, memory: .gibibytes(2), gpus: 1, timeLimit: 5400),
                sandbox: .init(
                    workdir: "/home/ada/lab/sub", network: true, readOnly: ["/home/ada/data"], readWrite: ["/out"],
                    devices: ["/dev/kfd"]),
                command: .init(argv: ["sh", "-c", "echo $A"], env: ["A": "b=c", "LANG": "C.UTF-8"]))
            #expect(spec == expected)
        }
    }

    @Test(arguments: [
        (["--gpu-memory", "8 GiB"], JobSpec.Resources(gpus: 1, gpuMemory: .gibibytes(8))),
        (
            ["--gpus", "2", "--gpu-model", "A100", "--gpu-memory", "16 GiB", "--gpu-alone"],
            JobSpec.Resources(gpus: 2, gpuMemory: .gibibytes(16), gpuModel: "A100", gpuShare: false)
        ),
    ])
    func flagsSayWhatEachGPUHasToBe(flags: [String], resources: JobSpec.Resources) async throws {
        let events = [Samples.state(.succeeded, at: 45, exit: 0)]
        try await FakeServer.with(try Self.replies(events, ending: Samples.job())) { server in
            let outcome = await Terminal().run(["run"] + flags + ["--", "true"], socket: server.socket)
            #expect(outcome.status == 0, "\(outcome)")
            let spec = try JSON.decode(JobSpec.self, from: Data(try #require(server.asked.first?.body)))
            #expect(spec.resources == resources)
        }
    }

    @Test func nothingOfTheEnvironmentIsPassedUnasked() async throws {
        let events = [Samples.state(.succeeded, at: 45, exit: 0)]
        try await FakeServer.with(try Self.replies(events, ending: Samples.job())) { server in
            _ = await Terminal(environment: ["SECRET": "x"]).run(["run", "--", "env"], socket: server.socket)
            let body = try #require(server.asked.first?.body)
            let spec = try JSON.decode(JobSpec.self, from: Data(body))
            #expect(spec.command?.env.isEmpty == true)
            #expect(spec.sandbox.workdir == "/home/ada/lab")
        }
    }

    @Test(arguments: [
        ["python3"], [], ["--"], ["--cpus", "x", "--", "a"], ["--cpus", "0", "--", "a"],
        ["--memory", "2 Gb", "--", "a"], ["--env", "NOPE", "--", "a"], ["--env", "=x", "--", "a"],
        ["--gpu-model", "--", "--", "a"], ["--gpu-memory", "8", "--", "a"],
    ])
    func nonsenseIsUsage(arguments: [String]) async throws {
        let outcome = await Terminal().run(["run"] + arguments, socket: "/nonexistent/mld.sock")
        #expect(outcome.status == 2)
        #expect(!outcome.err.isEmpty)
    }

    @Test func refusalIsStatusOne() async throws {
        let error = APIError(
            .refused, "the job asks for 64 cpus", hint: "at most 2 cpus would fit",
            details: [.init(file: "policies/default.toml", line: 4, message: "queue \"batch\" is full")])
        try await FakeServer.with(["POST /v1/jobs": [try .error(error)]]) { server in
            let outcome = await Terminal().run(["run", "--cpus", "64", "--", "a"], socket: server.socket)
            #expect(outcome.status == 1)
            expectSnapshot(
                outcome.err,
                """
                mlctl: the job asks for 64 cpus
                  policies/default.toml:4: queue "batch" is full
                hint: at most 2 cpus would fit

                """)
        }
    }

    // MARK: - Ctrl-C

    private static let cancelled = Samples.job(state: .cancelled, reason: "cancelled by ada", exit: nil, signal: 15)

    private func interrupted(_ terminal: Terminal) async throws -> (Terminal.Outcome, [String]) {
        // The job ends only once its cancellation has been asked for.
        let events = Self.running() + [Samples.state(.cancelled, at: 45, reason: "cancelled by ada")]
        let replies = try Self.replies(events, ending: Self.cancelled, heldUntil: "POST /v1/jobs/7/cancel")
        var result: (Terminal.Outcome, [String])?
        try await FakeServer.with(replies) { server in
            let outcome = await terminal.run(["run", "--", "sleep", "9"], socket: server.socket)
            result = (outcome, server.asked.map(\.name))
        }
        return try #require(result)
    }

    @Test func withoutATerminalItCancelsAtOnce() async throws {
        let (outcome, asked) = try await interrupted(Terminal(interrupts: [.interrupt]))
        #expect(outcome.status == 143)
        #expect(outcome.questions.isEmpty)
        #expect(asked.filter { $0 == "POST /v1/jobs/7/cancel" }.count == 1)
    }

    @Test func onATerminalItAsks() async throws {
        let (outcome, _) = try await interrupted(Terminal(isTerminal: true, interrupts: [.interrupt], answer: true))
        #expect(outcome.status == 143)
        #expect(outcome.questions.count == 1)
        #expect(outcome.questions.first?.contains("cancel job 7?") == true)
    }

    @Test func theSecondDoesNotAsk() async throws {
        let terminal = Terminal(isTerminal: true, interrupts: [.interrupt, .interrupt], answer: false)
        let (outcome, _) = try await interrupted(terminal)
        #expect(outcome.status == 143)
        #expect(outcome.questions.count <= 1)
    }

    @Test func terminationDoesNotAsk() async throws {
        let (outcome, _) = try await interrupted(Terminal(isTerminal: true, interrupts: [.terminate]))
        #expect(outcome.status == 143)
        #expect(outcome.questions.isEmpty)
    }

    @Test func terminationBeforeTheJobIsAcceptedEndsIt() async throws {
        var replies = try Self.replies(Self.running(), ending: Samples.job())
        replies["POST /v1/jobs"] = [FakeServer.Reply(chunks: [[0x20]], heldUntil: "GET /never")]
        try await FakeServer.with(replies) { server in
            let terminal = Terminal(interrupts: [.terminate])
            let outcome = await terminal.run(["run", "--", "sleep", "9"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.err.contains("the job may have been accepted all the same"), "\(outcome.err)")
        }
    }

    /// As when the machine shuts down: whoever ends it does not wait for a daemon.
    @Test func terminationWithoutADaemonEndsIt() async throws {
        var replies = try Self.replies(Self.running(), ending: Samples.job())
        // Nothing more comes until a request that is never made.
        replies["GET /v1/jobs/7/events"] = [
            try .events(Self.running() + [Samples.state(.succeeded, at: 45, exit: 0)], heldUntil: "GET /never")
        ]
        replies["POST /v1/jobs/7/cancel"] = [FakeServer.Reply(chunks: [], isCut: true)]
        try await FakeServer.with(replies) { server in
            let terminal = Terminal(interrupts: [.terminate])
            let outcome = await terminal.run(["run", "--", "sleep", "9"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.err.contains("job 7 goes on"), "\(outcome.err)")
        }
    }

    @Test func sayingNoLetsItGoOn() async throws {
        let events = Self.running() + [Samples.state(.succeeded, at: 45, exit: 0)]
        try await FakeServer.with(try Self.replies(events, ending: Samples.job())) { server in
            let terminal = Terminal(isTerminal: true, interrupts: [.interrupt], answer: false)
            #expect(await terminal.run(["run", "--", "sleep", "9"], socket: server.socket).status == 0)
            #expect(server.asked.allSatisfy { !$0.name.hasSuffix("cancel") })
        }
    }

    @Test func daemonThatRestartsBeforeTheFirstEventIsWaitedFor() async throws {
        var replies = try Self.replies(
            Self.running() + [Samples.state(.succeeded, at: 45, exit: 0)], ending: Samples.job())
        let cut = FakeServer.Reply(type: "text/event-stream", chunks: [], isCut: true)
        replies["GET /v1/jobs/7/events"]?.insert(cut, at: 0)
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["run", "--", "true"], socket: server.socket)
            #expect(outcome.status == 0)
            #expect(outcome.out == "out\n")
        }
    }

    @Test func jobThatCanNoLongerBeFollowedIsNamed() async throws {
        var replies = try Self.replies([], ending: Samples.job())
        replies["GET /v1/jobs/7/events"] = [try .error(APIError(.internalError, "something broke"))]
        try await FakeServer.with(replies) { server in
            let outcome = await Terminal().run(["run", "--", "true"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.err.hasSuffix("see mlctl show 7\nmlctl: something broke\n"))
        }
    }

    @Test func closedOutputLeavesTheJob() async throws {
        let events = Self.running() + [Samples.state(.succeeded, at: 45, exit: 0)]
        try await FakeServer.with(try Self.replies(events, ending: Samples.job())) { server in
            let outcome = await Terminal(outputIsClosed: true).run(["run", "--", "yes"], socket: server.socket)
            #expect(outcome.status == 1)
            #expect(outcome.err.contains("job 7 goes on"))
            #expect(server.asked.allSatisfy { !$0.name.hasSuffix("cancel") })
        }
    }
}
