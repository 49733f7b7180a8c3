import Glibc
import LinuxSystem
import Sandbox
import Testing

/// How a job's end is found out and written down.
@Suite(.timeLimit(.minutes(1)))
struct SupervisionTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    @Test(arguments: [0, 1, 7, 255])
    func exitStatusIsRecorded(status: Int32) async throws {
        let outcome = try await fixture.run("exit \(status)")
        #expect(outcome.record.cause == .exited)
        #expect(outcome.record.exitStatus == status)
        #expect(outcome.record.signal == nil)
        #expect(outcome.record.startedAt <= outcome.record.endedAt)
    }

    @Test func exitStatusAbove128IsNotTakenForASignal() async throws {
        let outcome = try await fixture.run("exit 139")
        #expect(outcome.record.exitStatus == 139)
        #expect(outcome.record.signal == nil)
    }

    @Test(arguments: [SIGSEGV, SIGKILL, SIGTERM, SIGABRT])
    func signalIsRecorded(number: Int32) async throws {
        let outcome = try await fixture.run("kill -\(number) $$")
        #expect(outcome.record.cause == .signalled)
        #expect(outcome.record.signal == number)
        #expect(outcome.record.exitStatus == nil)
        #expect(outcome.record.shellStatus == 128 + number)
    }

    @Test func missingProgramSaysSo() async throws {
        let outcome = try await fixture.run(fixture.launch(["no-such-program"]))
        #expect(outcome.record.cause == .couldNotStart)
        #expect(outcome.record.exitStatus == 127)
        #expect(outcome.record.message == "no-such-program: command not found")
    }

    @Test func programThatCannotBeExecutedSaysSo() async throws {
        try fixture.write("no program", to: fixture.workdir + "/data")
        let outcome = try await fixture.run(fixture.launch(["./data"]))
        #expect(outcome.record.cause == .couldNotStart)
        #expect(outcome.record.exitStatus == 126)
        #expect(outcome.record.message == "execute ./data: Permission denied")
    }

    @Test func outputErrorsAndEventsLandInTheirFiles() async throws {
        let outcome = try await fixture.run("echo out; echo err >&2; echo '{\"done\":{}}' >&$MLD_EVENTS_FD")
        #expect(outcome.stdout == "out\n")
        #expect(outcome.stderr == "err\n")
        #expect(fixture.text(fixture.job + "/events") == "{\"done\":{}}\n")
    }

    @Test func timeLimitEndsTheJob() async throws {
        let outcome = try await fixture.run("trap 'echo asked; exit 3' TERM; while :; do sleep 0.02; done") {
            $0.timeLimitSeconds = 0.3
        }
        #expect(outcome.record.cause == .timeLimit)
        #expect(outcome.record.exitStatus == 3)
        #expect(outcome.stdout == "asked\n")
        #expect(outcome.record.message == "ran into its time limit of 0.3 s")
    }

    @Test func stopIsHeardByTheJob() async throws {
        let script = "trap 'echo asked; exit 9' TERM; echo ready; while :; do sleep 0.02; done"
        let started = try fixture.launcher.start(fixture.launch(["/bin/sh", "-c", script]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        #expect(try fixture.launcher.stop(started))
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.cause == .stopped)
        #expect(outcome.record.exitStatus == 9)
        #expect(outcome.stdout == "ready\nasked\n")
        #expect(try !fixture.launcher.stop(started))
    }

    /// A machine that shuts down sends SIGTERM to every process: the job has its grace all the same, and may save what it has.
    @Test(.enabled(if: Fixture.isolates, "bubblewrap does not work here")) func everybodysEndIsHeardByTheJob()
        async throws
    {
        let script = "trap 'sleep 0.3; echo saved; exit 9' TERM; echo ready; while :; do sleep 0.02; done"
        let started = try fixture.launcher.start(fixture.launch(["/bin/sh", "-c", script]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        let table = ProcessTable()
        let bubblewrap = try #require(
            try table.pids().first { table.status(of: $0)?.parent == started.supervisorPID })
        // The job lives on without having been asked.
        Glibc.kill(bubblewrap, SIGTERM)
        try await Task.sleep(for: .milliseconds(50))
        #expect(table.status(of: bubblewrap).map { $0.state != "Z" } == true)
        for pid in [started.supervisorPID] + descendants(of: started.supervisorPID, table) { Glibc.kill(pid, SIGTERM) }
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.stdout == "ready\nsaved\n")
        #expect(outcome.record.cause == .stopped)
        #expect(outcome.record.exitStatus == 9)
    }

    private func descendants(of pid: Int32, _ table: ProcessTable) -> [Int32] {
        let all = (try? table.pids()) ?? []
        var found = [pid]
        for next in 0... where next < found.count {
            found += all.filter { table.status(of: $0)?.parent == found[next] }
            if next == found.count - 1 { break }
        }
        return Array(found.dropFirst())
    }

    @Test func aJobThatIgnoresItsEndIsKilledAfterItsGrace() async throws {
        var launch = fixture.launch(["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"])
        launch.graceSeconds = 0.2
        let started = try fixture.launcher.start(launch, profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        try fixture.launcher.stop(started)
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.cause == .stopped)
        #expect(outcome.record.signal == SIGKILL)
    }

    @Test func killDoesNotWaitForGrace() async throws {
        var launch = fixture.launch(["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"])
        launch.graceSeconds = 100_000
        let started = try fixture.launcher.start(launch, profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        try fixture.launcher.kill(started)
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.cause == .stopped)
        #expect(outcome.record.signal == SIGKILL)
    }

    /// The signal may come while the sandbox is still being built, when nobody inside could hear it.
    @Test func aStopRightAfterTheStartIsNotLost() async throws {
        var launch = fixture.launch(["/bin/sleep", "100000"])
        launch.graceSeconds = 50_000
        let started = try fixture.launcher.start(launch, profile: fixture.profile())
        try fixture.launcher.stop(started)
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.cause == .stopped)
    }

    @Test func whatDetachesItselfGoesWithTheJob() async throws {
        // Twice forked, in a session of its own, and writing as long as it lives.
        let script = """
            setsid sh -c 'setsid sh -c "echo alive; while :; do echo x >>left; sleep 0.01; done" & exit 0'
            while [ ! -s left ]; do sleep 0.01; done
            """
        let outcome = try await fixture.run(script)
        #expect(outcome.record.exitStatus == 0)
        let size = fixture.text(fixture.workdir + "/left").utf8.count
        #expect(size > 0)
        try await Task.sleep(for: .milliseconds(100))
        #expect(fixture.text(fixture.workdir + "/left").utf8.count == size)
    }

    @Test func hangUpsAndInterruptsAreNotForTheSupervisor() async throws {
        // Before the job looks for it.
        #expect(mkfifo(fixture.workdir + "/go", 0o600) == 0 || errno == EEXIST)
        let started = try fixture.launcher.start(
            fixture.launch(["/bin/sh", "-c", "echo ready; read line <go; exit 5"]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        for number in [SIGHUP, SIGINT] { Glibc.kill(started.supervisorPID, number) }
        #expect(fixture.launcher.isAlive(started))
        try fixture.launcher.stop(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }

    @Test func anEarlierRecordIsNotTakenForThisOne() async throws {
        #expect(try await fixture.run("exit 4").record.exitStatus == 4)
        let started = try fixture.launcher.start(fixture.launch(["/bin/sleep", "100000"]), profile: fixture.profile())
        #expect(ExitRecord.read(fixture.job + "/exit.json") == nil)
        try fixture.launcher.kill(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }
}
