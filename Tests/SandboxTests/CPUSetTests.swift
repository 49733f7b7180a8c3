import Glibc
import LinuxSystem
import Sandbox
import Testing

/// A job runs on its own CPUs, and those who watch over it where they will.
@Suite(.timeLimit(.minutes(1)))
struct CPUSetTests {
    private static let cpus = CPUTopology.usableNumbers()
    private static let allowed = "sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status"

    @Test(.enabled(if: cpus.count > 1, "needs two CPUs"))
    func aJobRunsOnItsCPUsAndItsSupervisorOnAll() async throws {
        let fixture = try Fixture()
        let last = try #require(Self.cpus.last)
        var profile = fixture.profile()
        profile.cpuSet = [last]
        let launch = fixture.launch(["/bin/sh", "-c", Self.allowed + "; echo there; sleep 600"])
        let started = try fixture.launcher.start(launch, profile: profile)
        try await fixture.untilPrinted("there")
        let status = try SystemFile.text("/proc/\(started.supervisorPID)/status", limit: 16_384)
        let list = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }?.split(separator: "\t")
            .last
        #expect(list.flatMap { CPUTopology.list(String($0)) } == Self.cpus)
        #expect(CPUTopology.usableNumbers() == Self.cpus, "the launcher itself was pinned")
        #expect(try fixture.launcher.stop(started))
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.stdout.split(separator: "\n").first == "\(last)")
        #expect(outcome.started.enforced.contains { $0.hasPrefix("only on CPU \(last) (") })
    }

    @Test func withoutASetItMayRunOnAll() async throws {
        let fixture = try Fixture()
        let outcome = try await fixture.run(Self.allowed)
        let line = outcome.stdout.split(separator: "\n").first.map(String.init) ?? ""
        #expect(CPUTopology.list(line) == Self.cpus)
        #expect(!outcome.started.enforced.contains { $0.hasPrefix("only on CPU") })
    }

    /// What cannot be held is no start: a job that ran anywhere would disturb others.
    @Test func aCPUThatIsNotThereIsSaid() async throws {
        let fixture = try Fixture()
        var profile = fixture.profile()
        profile.cpuSet = [8000]
        let outcome = try await fixture.run("echo ran", profile: profile)
        #expect(outcome.stdout.isEmpty)
        #expect(outcome.record.cause == .couldNotStart)
        #expect(outcome.record.message?.contains("run on CPUs 8000") == true)
    }
}
