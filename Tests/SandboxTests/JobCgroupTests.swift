import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Needs a cgroup v2 hierarchy this user may write to: as root, or under a unit with Delegate=yes.
@Suite(.timeLimit(.minutes(1)), .enabled(if: Fixture.hasCgroup, "no cgroup v2 directory can be made here"))
struct JobCgroupTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    @Test func cpuTimeIsCountedWholeAndTheCgroupGoes() async throws {
        // Half of the work is done by a process nobody waits for.
        let work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
        let started = try fixture.launcher.start(
            fixture.launch([
                "/bin/sh", "-c", "(\(work); echo x >done) & \(work); while [ ! -e done ]; do sleep 0.01; done",
            ]),
            profile: fixture.profile())
        let path = try #require(started.cgroupPath)
        try await fixture.launcher.waitForExit(started)
        let counted = try #require(fixture.launcher.cpuSeconds(of: started))
        let record = try #require(ExitRecord.read(fixture.job + "/exit.json"))
        let waitedFor = Double(record.userMicroseconds + record.systemMicroseconds) / 1e6
        // The cgroup also holds the supervisor; rusage counts in ticks on some kernels.
        #expect(waitedFor > 0)
        #expect(counted >= waitedFor * 0.9 - 0.02)
        #expect(!Cgroup(path: path).isPopulated)
        try await fixture.launcher.cleanUp(started)
        #expect(access(path, F_OK) != 0)
    }

    @Test func freezingHoldsEveryProcessButTheSupervisor() async throws {
        let started = try fixture.launcher.start(
            fixture.launch(["/bin/sh", "-c", "echo ready; while :; do echo x >>beat; sleep 0.01; done"]),
            profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        try fixture.launcher.freeze(started)
        try await fixture.until { fixture.launcher.isFrozen(started) == true }
        let beats = fixture.text(fixture.workdir + "/beat").utf8.count
        try await Task.sleep(for: .milliseconds(100))
        #expect(fixture.text(fixture.workdir + "/beat").utf8.count == beats)
        try fixture.launcher.thaw(started)
        try await fixture.until { fixture.text(fixture.workdir + "/beat").utf8.count > beats }
        #expect(fixture.launcher.isFrozen(started) == false)
        try fixture.launcher.freeze(started)
        try await fixture.until { fixture.launcher.isFrozen(started) == true }
        try fixture.launcher.stop(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }

    /// Whatever a supervisor is told while it cannot listen, what it was told last holds.
    @Test func theLastOfSeveralWishesHolds() async throws {
        let started = try fixture.launcher.start(
            fixture.launch(["/bin/sh", "-c", "echo ready; while :; do echo x >>beat; sleep 0.01; done"]),
            profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        try fixture.launcher.freeze(started)
        try await fixture.until { fixture.launcher.isFrozen(started) == true }
        try await fixture.deafly(started) {
            try fixture.launcher.thaw(started)
            try fixture.launcher.freeze(started)
        }
        try await fixture.until { fixture.launcher.isFrozen(started) == true }
        try await fixture.deafly(started) {
            for _ in 0..<3 {
                try fixture.launcher.thaw(started)
                try fixture.launcher.freeze(started)
            }
            try fixture.launcher.thaw(started)
        }
        try await fixture.until { fixture.launcher.isFrozen(started) == false }
        try fixture.launcher.kill(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }

    @Test func cleaningUpEndsWhatIsLeft() async throws {
        let started = try fixture.launcher.start(fixture.launch(["/bin/sleep", "100000"]), profile: fixture.profile())
        try await fixture.launcher.cleanUp(started)
        #expect(access(try #require(started.cgroupPath), F_OK) != 0)
        try await fixture.launcher.waitForExit(started)
        #expect(!fixture.launcher.isAlive(started))
    }

    @Test func aRefusedStartLeavesNoCgroup() async throws {
        var launch = fixture.launch(["/bin/true"])
        launch.stdoutPath = fixture.root + "/no/such/directory/stdout"
        #expect(throws: SandboxError.self) { try fixture.launcher.start(launch, profile: fixture.profile()) }
        let jobs = try #require(Fixture.capabilities.jobsCgroup)
        #expect(access(jobs.child(launch.cgroupName).path, F_OK) != 0)
    }

    @Test(arguments: ["", "..", "a/b", ".hidden"])
    func anOddNameIsRefused(name: String) throws {
        var launch = fixture.launch(["/bin/true"])
        launch.cgroupName = name
        #expect(throws: SandboxError.self) { try fixture.launcher.start(launch, profile: fixture.profile()) }
    }
}
