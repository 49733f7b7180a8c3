import Glibc
import LinuxSystem
import Sandbox
import Testing

/// A supervisor that was not started by this process: what a restarted daemon finds.
@Suite(.timeLimit(.minutes(1)))
struct AdoptionTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    /// Starts a supervisor through a shell that stands for the earlier daemon, and kills that shell.
    private func orphan(_ script: String) async throws -> Started {
        let base = fixture.root
        try fixture.write(
            """
            \(Fixture.execPath) supervise --record \(fixture.job)/exit.json --grace 5 -- /bin/sh -c '\(script)' &
            echo $! >\(base)/pid.new; mv \(base)/pid.new \(base)/pid
            wait
            """, to: base + "/daemon.sh")
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        let output = try Descriptor.open(fixture.job + "/stdout", O_WRONLY | O_CREAT | O_APPEND)
        let daemon = try ProcessSpawner.start(
            "/bin/sh", arguments: [base + "/daemon.sh"], environment: [:],
            descriptors: [null.raw, output.raw, output.raw])
        try await fixture.until { access(base + "/pid", F_OK) == 0 }
        let pid = try #require(Int32(fixture.text(base + "/pid").filter(\.isNumber)))
        try await fixture.untilPrinted("ready")
        let status = try #require(ProcessTable().status(of: pid))
        #expect(Glibc.kill(daemon.pid, SIGKILL) == 0)
        var waited: Int32 = 0
        #expect(waitpid(daemon.pid, &waited, 0) == daemon.pid)
        return Started(supervisorPID: pid, startTime: status.startTime, cgroupPath: nil)
    }

    @Test func aJobOutlivesItsLauncherAndItsEndIsRecorded() async throws {
        #expect(mkfifo(fixture.workdir + "/go", 0o600) == 0)
        let started = try await orphan("echo ready; read line <\(fixture.workdir)/go; exit 6")
        #expect(fixture.launcher.isAlive(started))
        #expect(ExitRecord.read(fixture.job + "/exit.json") == nil)
        try Descriptor.open(fixture.workdir + "/go", O_WRONLY).write(Array("go\n".utf8))
        try await fixture.launcher.waitForExit(started)
        #expect(!fixture.launcher.isAlive(started))
        #expect(ExitRecord.read(fixture.job + "/exit.json")?.exitStatus == 6)
    }

    @Test func anAdoptedJobCanBeStopped() async throws {
        let started = try await orphan("trap \"exit 8\" TERM; echo ready; while :; do sleep 0.02; done")
        #expect(try fixture.launcher.stop(started))
        try await fixture.launcher.waitForExit(started)
        let record = try #require(ExitRecord.read(fixture.job + "/exit.json"))
        #expect(record.cause == .stopped)
        #expect(record.exitStatus == 8)
    }

    @Test func withoutADescriptorToSpareItsEndIsSeenAllTheSame() async throws {
        let launcher = try SandboxLauncher(execPath: Fixture.execPath, descriptorLimit: 0)
        let started = try launcher.start(fixture.launch(["/bin/sh", "-c", "exit 3"]), profile: fixture.profile())
        #expect(launcher.cpuClock(of: started)(ProcessSnapshot()) != nil)
        try await launcher.waitForExit(started)
        #expect(!launcher.isAlive(started))
        try await launcher.cleanUp(started)
        #expect(ExitRecord.read(fixture.job + "/exit.json")?.exitStatus == 3)
    }

    @Test func anotherProcessWithTheSamePidIsNotTheJob() async throws {
        let other = Started(supervisorPID: getpid(), startTime: 1, cgroupPath: nil)
        #expect(!fixture.launcher.isAlive(other))
        // Neither signals nor waiting may reach it: this process would end, or the test never.
        #expect(try !fixture.launcher.kill(other))
        try await fixture.launcher.waitForExit(other)
    }

    @Test func aWaitCanBeCancelled() async throws {
        let started = try fixture.launcher.start(fixture.launch(["/bin/sleep", "100000"]), profile: fixture.profile())
        let launcher = fixture.launcher
        let waiting = Task { try await launcher.waitForExit(started) }
        waiting.cancel()
        try await waiting.value
        #expect(launcher.isAlive(started))
        try launcher.kill(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }

    /// Without its supervisor a job must not run on unseen; no record says that it ended so.
    @Test func aJobDiesWithItsSupervisor() async throws {
        let script = "echo ready; while :; do echo x >>beat; sleep 0.01; done"
        let started = try fixture.launcher.start(fixture.launch(["/bin/sh", "-c", script]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        let tree = try ProcessTable().tree(of: started.supervisorPID)
        #expect(tree.count > 1)
        #expect(Glibc.kill(started.supervisorPID, SIGKILL) == 0)
        try await fixture.launcher.waitForExit(started)
        // The main process is bound to the supervisor; in a sandbox everything else is bound to it.
        let main = try #require(tree.dropFirst().first)
        try await fixture.until { !ProcessTable().isAlive(main.pid, startTime: main.startTime) }
        try await fixture.launcher.cleanUp(started)
        #expect(ExitRecord.read(fixture.job + "/exit.json") == nil)
    }
}
