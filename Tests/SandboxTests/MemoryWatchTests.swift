import Glibc
import LinuxSystem
import Sandbox
import Testing

/// A job's memory limit where no cgroup can hold it.
@Suite(.timeLimit(.minutes(1)))
struct MemoryWatchTests {
    private func bare() throws -> Fixture {
        try Fixture(
            launcher: SandboxLauncher(execPath: Fixture.execPath, bubblewrapPath: "/no/such/bwrap", cgroups: nil))
    }

    /// Each process is below the limit, all together are not.
    private static let three = """
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                held = bytearray(os.urandom(1)) * (60 << 20)
                time.sleep(1000)
        print("ready", flush=True)
        time.sleep(1000)
        """

    @Test func theSumOfAllProcessesIsHeldToTheLimit() async throws {
        let fixture = try bare()
        var profile = fixture.profile()
        profile.memoryLimit = 100 << 20
        let outcome = try await fixture.run(fixture.launch(["python3", "-c", Self.three]), profile: profile)
        #expect(outcome.record.cause == .outOfMemory)
        #expect(outcome.record.signal == SIGKILL)
        #expect(outcome.record.memoryLimitBytes == 100 << 20)
        let peak = try #require(outcome.record.memoryPeakBytes)
        #expect(peak > 100 << 20)
        #expect(peak < 400 << 20)
        #expect(outcome.stderr == "mld: killed: the job used \(peak) of \(100 << 20) bytes of memory\n")
        #expect(
            outcome.started.enforced.contains {
                $0.hasPrefix(
                    "memory limit \(100 << 20) bytes for the whole job, watched once a second by its supervisor")
            })
    }

    @Test func whatProcessesShareIsCountedOnce() async throws {
        // Four processes with the same 60 MiB, as after a fork.
        let script = """
            import os, time
            held = bytearray(os.urandom(1)) * (60 << 20)
            for _ in range(3):
                if os.fork() == 0:
                    time.sleep(2.5)
                    os._exit(0)
            for _ in range(3): os.wait()
            """
        let fixture = try bare()
        var profile = fixture.profile()
        profile.memoryLimit = 120 << 20
        let outcome = try await fixture.run(fixture.launch(["python3", "-c", script]), profile: profile)
        #expect(outcome.stderr == "")
        #expect(outcome.record.cause == .exited)
        #expect(outcome.record.exitStatus == 0)
        let peak = try #require(outcome.record.memoryPeakBytes)
        #expect((60 << 20...120 << 20).contains(peak))
    }

    @Test(.enabled(if: Fixture.hasCgroup, "no cgroup"))
    func theProcessesOfACgroupAreWatchedToo() async throws {
        let fixture = try Fixture()
        var profile = fixture.profile()
        profile.memoryLimit = 100 << 20
        let outcome = try await fixture.run(fixture.launch(["python3", "-c", Self.three]), profile: profile)
        // By the kernel where it can, else by the supervisor.
        #expect(outcome.record.cause == .outOfMemory)
        #expect(outcome.record.memoryLimitBytes == 100 << 20)
    }
}
