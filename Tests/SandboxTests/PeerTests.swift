import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Whether a process is a job's, as the daemon asks of whoever comes to its socket.
@Suite(.timeLimit(.minutes(1)))
struct PeerTests {
    /// With cgroups of its own, and without.
    private func launchers() throws -> [SandboxLauncher] {
        [try Fixture.shared.get(), try SandboxLauncher(execPath: Fixture.execPath, cgroups: nil)]
    }

    @Test func whoIsGoneIsNotTakenForNoJob() throws {
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let pid = try ProcessSpawner.start(
            "/bin/true", arguments: [], environment: [:], descriptors: [null.raw, null.raw, null.raw]
        ).pid
        var status: Int32 = 0
        try #require(waitpid(pid, &status, 0) == pid)
        for launcher in try launchers() {
            #expect(try launcher.isJob(pid) == nil)
            #expect(try launcher.isJob(getpid()) == false)
            // One whom the kernel gives no number here is in a namespace above, where no job is.
            #expect(try launcher.isJob(0) == false)
        }
    }

    @Test(.enabled(if: Fixture.isolates, "bubblewrap does not work here")) func aJobIsOne() async throws {
        for launcher in try launchers() {
            let fixture = try Fixture(launcher: launcher)
            let script = "until [ -e go ]; do sleep 0.05; done"
            let launch = fixture.launch(["/bin/sh", "-c", script])
            let started = try launcher.start(launch, profile: fixture.profile())
            // The last of those below the supervisor is the job's own.
            var pids: [Int32] = []
            try await fixture.until {
                pids = try ProcessTable().tree(of: started.supervisorPID).map(\.pid).filter { pid in
                    fixture.text("/proc/\(pid)/cmdline").contains("until [ -e go ]")
                        && fixture.text("/proc/\(pid)/cmdline").hasPrefix("/bin/sh")
                }
                return !pids.isEmpty
            }
            for pid in pids { #expect(try launcher.isJob(pid) == true) }
            try fixture.write("", to: fixture.workdir + "/go")
            _ = try await fixture.outcome(of: started)
        }
    }
}
