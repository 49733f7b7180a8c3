import Glibc
import LinuxSystem
import Sandbox
import Testing

/// A machine without bubblewrap, without cgroups, or both.
@Suite(.timeLimit(.minutes(1)))
struct BestEffortTests {
    private func bare() throws -> Fixture {
        try Fixture(
            launcher: SandboxLauncher(execPath: Fixture.execPath, bubblewrapPath: "/no/such/bwrap", cgroups: nil))
    }

    @Test func fullIsolationIsRefusedWithTheReason() throws {
        let fixture = try bare()
        var profile = fixture.profile()
        profile.requirement = .full
        let error = #expect(throws: SandboxError.self) {
            try fixture.launcher.start(fixture.launch(["/bin/true"]), profile: profile)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("/no/such/bwrap is not installed") == true)
    }

    @Test func theJobRunsAndSaysWhatDoesNotHold() async throws {
        let fixture = try bare()
        let outcome = try await fixture.run("pwd; exit 5")
        #expect(outcome.record.exitStatus == 5)
        #expect(outcome.stdout == fixture.workdir + "\n")
        #expect(outcome.started.cgroupPath == nil)
        #expect(outcome.started.notEnforced.contains { $0.contains("/no/such/bwrap is not installed") })
        #expect(!outcome.started.enforced.contains { $0.contains("bubblewrap") || $0 == "no network" })
    }

    @Test func aFailedStartIsToldWithoutBubblewrapToo() async throws {
        let fixture = try bare()
        let outcome = try await fixture.run(fixture.launch(["no-such-program"]))
        #expect(outcome.record.cause == .couldNotStart)
        #expect(outcome.record.message == "no-such-program: command not found")
    }

    @Test func whatDetachesItselfIsFoundByItsParents() async throws {
        let fixture = try bare()
        let outcome = try await fixture.run("setsid sh -c 'sleep 100000 & echo $!' ; exit 0")
        let pid = try #require(Int32(outcome.stdout.filter(\.isNumber)))
        #expect(ProcessTable().status(of: pid) == nil)
    }

    @Test func cpuTimeIsSummedOverTheTree() async throws {
        let fixture = try bare()
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo ready; read line <go"
        #expect(mkfifo(fixture.workdir + "/go", 0o600) == 0)
        let started = try fixture.launcher.start(fixture.launch(["/bin/sh", "-c", script]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        #expect(try #require(fixture.launcher.cpuSeconds(of: started)) > 0)
        try fixture.launcher.kill(started)
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.userMicroseconds > 0)
        #expect(fixture.launcher.cpuSeconds(of: started) == nil)
    }

    @Test func freezingWorksBySignals() async throws {
        let fixture = try bare()
        let started = try fixture.launcher.start(
            fixture.launch(["/bin/sh", "-c", "echo ready; sleep 100000"]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        func states() throws -> Set<Character> {
            Set(try ProcessTable().tree(of: started.supervisorPID).dropFirst().map(\.state))
        }
        try fixture.launcher.freeze(started)
        try await fixture.until { try states() == ["T"] }
        try fixture.launcher.thaw(started)
        try await fixture.until { try states() == ["S"] }
        // A frozen job must be able to end.
        try fixture.launcher.freeze(started)
        try await fixture.until { try states() == ["T"] }
        try fixture.launcher.stop(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }

    /// Whatever a supervisor is told while it cannot listen, what it was told last holds.
    @Test func theLastOfSeveralWishesHolds() async throws {
        let fixture = try bare()
        let started = try fixture.launcher.start(
            fixture.launch(["/bin/sh", "-c", "echo ready; sleep 100000"]), profile: fixture.profile())
        try await fixture.untilPrinted("ready")
        func states() throws -> Set<Character> {
            Set(try ProcessTable().tree(of: started.supervisorPID).dropFirst().map(\.state))
        }
        try fixture.launcher.freeze(started)
        try await fixture.until { try states() == ["T"] }
        try await fixture.deafly(started) {
            try fixture.launcher.thaw(started)
            try fixture.launcher.freeze(started)
        }
        try await fixture.until { try states() == ["T"] }
        try await fixture.deafly(started) {
            for _ in 0..<3 {
                try fixture.launcher.thaw(started)
                try fixture.launcher.freeze(started)
            }
            try fixture.launcher.thaw(started)
        }
        try await fixture.until { try states() == ["S"] }
        try fixture.launcher.kill(started)
        #expect(try await fixture.outcome(of: started).record.cause == .stopped)
    }

    @Test func aMissingMldExecIsToldAtOnce() {
        #expect(throws: SandboxError.self) { try SandboxLauncher(execPath: "/no/such/mld-exec", cgroups: nil) }
    }
}
