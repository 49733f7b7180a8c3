import ConfigFile
import FoundationEssentials
import JobAPI
import Testing
import Units

@Suite struct SubmitCommandTests {
    static let command = """
        name = "hello"
        [resources]
        cpus = 1
        [command]
        argv = ["echo", "hi"]
        """
    static let training = """
        name = "fashion"
        [train]
        epochs = 2
        [data]
        path = "train.csv"
        [[model.layer]]
        units = 10
        """

    /// Runs `body` in a directory with `job.toml`.
    private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try write(text, to: directory + "/job.toml")
        try await body(directory)
    }

    private func withServer(
        events: [JobEvent] = Samples.training, ending job: JobRecord = Samples.job(),
        _ body: (FakeServer) async throws -> Void
    ) async throws {
        let replies: [String: [FakeServer.Reply]] = [
            "POST /v1/jobs": [try .json(Samples.submitted, status: 201)],
            "GET /v1/jobs/7/events": [try .events(events)], "GET /v1/jobs/7": [try .json(Samples.detail(job))],
        ]
        try await FakeServer.with(replies, body)
    }

    private func spec(_ server: FakeServer) throws -> JobSpec {
        let body = try #require(server.asked.first?.body)
        return try JSON.decode(JobSpec.self, from: Data(body))
    }

    @Test func idOnStandardOutput() async throws {
        try await withFile(Self.command) { directory in
            try await withServer { server in
                let outcome = await Terminal().run(["submit", directory + "/job.toml"], socket: server.socket)
                #expect(outcome.status == 0)
                #expect(outcome.out == "7\n")
                #expect(outcome.err == "job 7 queued: waits for 2 cpus\n")
                let job = try spec(server)
                #expect(job.command?.argv == ["echo", "hi"])
                // Where it was submitted, not where the file is.
                #expect(job.sandbox.workdir == "/home/ada/lab")
            }
        }
    }

    @Test(arguments: ["2026-11-24T20:00:00+01:00", "2026-11-24T19:00:00Z"])
    func byAndInterruptibleLetItWait(by: String) async throws {
        try await withFile(Self.command) { directory in
            try await withServer { server in
                let arguments = ["submit", directory + "/job.toml", "--by", by, "--interruptible"]
                #expect(await Terminal().run(arguments, socket: server.socket).status == 0)
                let job = try spec(server)
                #expect(job.schedule.deadline == (try Timestamp(parsing: "2026-11-24T19:00:00Z")))
                #expect(job.schedule.interruptible)
            }
            let outcome = await Terminal().run(["submit", directory + "/job.toml", "--by", "soon"])
            #expect(outcome.status == 2)
        }
    }

    @Test func setChangesTheJob() async throws {
        try await withFile(Self.training) { directory in
            try await withServer { server in
                let changes = [
                    "resources.cpus=2", "resources.memory=3 GiB", "name=plain text", "project=\"quoted\"",
                    "model.layer.0.units=20", "queue=1\nname = \"smuggled\"",
                ]
                let arguments = ["submit", directory + "/job.toml"] + changes.flatMap { ["--set", $0] }
                #expect(await Terminal().run(arguments, socket: server.socket).status == 0)
                let spec = try spec(server)
                #expect(spec.resources.cpus == 2)
                #expect(spec.resources.memory == .gibibytes(3))
                #expect(spec.name == "plain text")
                #expect(spec.project == "quoted")
                #expect(spec.queue == "1\nname = \"smuggled\"")
                let model = try JSON.text(spec.train?.model)
                #expect(model == "{\"layer\":[{\"units\":20}]}")
            }
        }
    }

    @Test(arguments: ["resources.cpus", "=2", "a..b=2", "name.first=x", "model.layer.7.units=1", "model.layer.x=1"])
    func nonsensicalSetIsUsage(assignment: String) async throws {
        try await withFile(Self.training) { directory in
            let arguments = ["submit", directory + "/job.toml", "--set", assignment]
            let outcome = await Terminal().run(arguments, socket: "/nonexistent/mld.sock")
            #expect(outcome.status == 2)
            #expect(outcome.err.hasPrefix("mlctl: --set \(assignment): "))
        }
    }

    @Test func problemsNameTheirLineAndNothingIsSubmitted() async throws {
        try await withFile("nme = \"x\"\n[resources]\ncpus = \"two\"\n[command]\nargv = [\"a\"]\n") { directory in
            try await withServer { server in
                let outcome = await Terminal().run(["submit", directory + "/job.toml"], socket: server.socket)
                #expect(outcome.status == 1)
                #expect(outcome.out.isEmpty)
                #expect(outcome.err.contains("\(directory)/job.toml:1: unknown key \"nme\""))
                #expect(outcome.err.contains("did you mean \"name\"?"))
                #expect(outcome.err.contains("\(directory)/job.toml:3: "))
                #expect(server.asked.isEmpty)
            }
        }
    }

    @Test(arguments: ["/nonexistent/job.toml", "/tmp", "/dev/zero"])
    func unreadableFile(path: String) async throws {
        let outcome = await Terminal().run(["submit", path])
        #expect(outcome.status == 1)
        #expect(outcome.err.hasPrefix("mlctl: \(path): "))
    }

    // MARK: - Waiting

    @Test func waitingForAnArrayIsRefusedWhereverItIsAskedFor() async throws {
        for (text, extra) in [
            ("array = \"1-3\"\n" + Self.command, []), (Self.command, ["--set", "array=1-3"]),
            (Self.command, ["--array", "1-3"]),
        ] {
            try await withFile(text) { directory in
                try await withServer { server in
                    let outcome = await Terminal().run(
                        ["submit", directory + "/job.toml", "--wait"] + extra, socket: server.socket)
                    #expect(outcome.status == 2)
                    #expect(outcome.err.contains("--wait follows one job; use mlctl wait with the array's id"))
                    #expect(server.asked.isEmpty)
                }
            }
        }
    }

    @Test func waitingInAPipePrintsALinePerEpoch() async throws {
        try await withFile(Self.training) { directory in
            try await withServer { server in
                let arguments = ["submit", directory + "/job.toml", "--wait"]
                let outcome = await Terminal().run(arguments, socket: server.socket)
                #expect(outcome.status == 0)
                #expect(outcome.out == "7\n")
                expectSnapshot(
                    outcome.err,
                    """
                    job 7 queued: waits for 2 cpus
                    job 7 running
                    epoch 1/2, loss 0.5123, val accuracy 0.85, 31.5 W, 315 J, 0.0315 gCO2e
                    epoch 2/2, loss 0.4123, val accuracy 0.88, 32.5 W, 1235 J, 0.123 gCO2e
                    job 7 succeeded after 45 s: 1235 J (1100 J-1400 J), 0.123 gCO2e (0.11-0.14), table

                    """)
                #expect(server.asked.map(\.target).contains("/v1/jobs/7/events?from=start&logs=false"))
            }
        }
    }

    @Test func waitingOnATerminalRewritesOneLine() async throws {
        try await withFile(Self.training) { directory in
            try await withServer { server in
                let arguments = ["submit", directory + "/job.toml", "--wait"]
                let outcome = await Terminal(isTerminal: true).run(arguments, socket: server.socket)
                let frames = outcome.err.split(separator: "\r\u{1b}[2K").map(String.init)
                expectSnapshot(
                    frames.joined(separator: "\n"),
                    """
                    job 7: queued (waits for 2 cpus)
                    job 7: running
                    job 7: epoch 1/2, step 50/100, ETA 30 s
                    job 7: epoch 1/2, step 50/100, 31.5 W, 315 J, ETA 30 s
                    job 7: epoch 1/2, loss 0.5123, 31.5 W, 315 J, ETA 20 s
                    job 7: epoch 1/2, loss 0.5123, val accuracy 0.85, 31.5 W, 315 J, ETA 20 s
                    job 7: epoch 2/2, loss 0.5123, val accuracy 0.85, 31.5 W, 315 J, ETA 21 s
                    job 7: epoch 2/2, loss 0.4123, val accuracy 0.85, 31.5 W, 315 J, ETA 1.6 s
                    job 7: epoch 2/2, loss 0.4123, val accuracy 0.88, 31.5 W, 315 J, ETA 1.6 s
                    job 7: epoch 2/2, loss 0.4123, val accuracy 0.88, 32.5 W, 1235 J, ETA 0 s
                    job 7: epoch 2/2, loss 0.4123, val accuracy 0.88, 32.5 W, 1235 J
                    job 7 succeeded after 45 s: 1235 J (1100 J-1400 J), 0.123 gCO2e (0.11-0.14), table

                    """)
                #expect(frames.dropLast().allSatisfy { $0.count < 80 && !$0.contains("\n") })
            }
        }
    }

    @Test func waitingEndsWithTheJobsStatus() async throws {
        let failed = Samples.job(state: .outOfMemory, reason: "needed more than 1 GiB", exit: nil, signal: 9)
        try await withFile(Self.training) { directory in
            try await withServer(events: [Samples.state(.outOfMemory, at: 45)], ending: failed) { server in
                let arguments = ["submit", directory + "/job.toml", "--wait"]
                let outcome = await Terminal().run(arguments, socket: server.socket)
                #expect(outcome.status == 137)
                #expect(outcome.err.contains("job 7 out-of-memory after 45 s (needed more than 1 GiB)"))
            }
        }
    }

    // MARK: - The training program's own check

    private static func trainer(_ body: String, in directory: String) throws -> [String: String] {
        try write("#!/bin/sh\n" + body + "\n", to: directory + "/mltrain", mode: 0o700)
        return ["PATH": "relative::" + directory]
    }

    @Test func trainerRefuses() async throws {
        try await withFile(Self.training) { directory in
            let script = "echo \"$2:3: epochs is too small\" >&2; [ \"$1\" = check ] && exit 1"
            let environment = try Self.trainer(script, in: directory)
            try await withServer { server in
                let terminal = Terminal(environment: environment)
                let outcome = await terminal.run(["submit", directory + "/job.toml"], socket: server.socket)
                #expect(outcome.status == 1)
                #expect(outcome.err == "mlctl: \(directory)/job.toml:3: epochs is too small\n")
                #expect(server.asked.isEmpty)
            }
        }
    }

    @Test func trainerThatDiesIsNamed() async throws {
        try await withFile(Self.training) { directory in
            let terminal = Terminal(environment: try Self.trainer("kill -9 $$", in: directory))
            let outcome = await terminal.run(["submit", directory + "/job.toml"], socket: "/nonexistent")
            #expect(outcome.status == 1)
            #expect(outcome.err.hasSuffix("job.toml ended with signal 9\n"))
        }
    }

    @Test func trainerAgreesOrIsNotAsked() async throws {
        try await withFile(Self.training) { directory in
            try await withServer { server in
                let fine = Terminal(environment: try Self.trainer("exit 0", in: directory))
                #expect(await fine.run(["submit", directory + "/job.toml"], socket: server.socket).status == 0)
                // What --set has changed it is shown as the merged job.
                let script = "grep -q '\"epochs\":3' \"$2\" && exit 0; echo \"$2: not merged\"; exit 1"
                let merged = Terminal(environment: try Self.trainer(script, in: directory))
                let submit = ["submit", directory + "/job.toml", "--set"]
                #expect(await merged.run(submit + ["train.epochs=3"], socket: server.socket).status == 0)
                let refused = await merged.run(submit + ["train.epochs=4"], socket: server.socket)
                #expect(refused.status == 1)
                #expect(refused.err.hasSuffix("mlctl: \(directory)/job.toml with --set: not merged\n"))
            }
        }
        try await withFile(Self.command) { directory in
            try await withServer { server in
                let refusing = Terminal(environment: try Self.trainer("exit 1", in: directory))
                #expect(await refusing.run(["submit", directory + "/job.toml"], socket: server.socket).status == 0)
            }
        }
    }
}
