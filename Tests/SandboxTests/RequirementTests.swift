import Glibc
import LinuxSystem
import Testing

@testable import Sandbox

/// `sandbox.require = "full"`: all of the isolation, or no job.
@Suite(.timeLimit(.minutes(1)))
struct RequirementTests {
    private func start(_ adjust: (inout SandboxCapabilities) -> Void) throws -> (Fixture, SandboxError?) {
        let fixture = try Fixture()
        var launcher = fixture.launcher
        launcher.capabilities.controllers = Set(SandboxCapabilities.neededControllers)
        adjust(&launcher.capabilities)
        var profile = fixture.profile()
        profile.requirement = .full
        do throws(SandboxError) {
            let started = try launcher.start(fixture.launch(["/bin/true"]), profile: profile)
            try launcher.kill(started)
            return (fixture, nil)
        } catch {
            return (fixture, error)
        }
    }

    @Test func everythingMissingIsNamed() throws {
        let (fixture, error) = try start {
            $0.bubblewrap = nil
            $0.bubblewrapProblem = "bwrap: No permissions to create new namespace"
            $0.refusedCalls = nil
            $0.seccompProblem = "load the seccomp filter: Invalid argument"
        }
        #expect(error?.code == .unavailable)
        #expect(
            error?.description
                == "sandbox: the policy requires full isolation, which this machine cannot give: bwrap: No permissions to create new namespace; no filter of system calls: load the seccomp filter: Invalid argument"
        )
        #expect(access(fixture.job + "/exit.json", F_OK) != 0, "nothing ran")
    }

    @Test func theFilterAloneIsEnoughToRefuse() throws {
        let (_, error) = try start {
            $0.refusedCalls = nil
            $0.seccompProblem = "no seccomp in this kernel"
        }
        #expect(error?.message.contains("no filter of system calls: no seccomp in this kernel") == true)
    }

    /// A job that could take all of the memory or all of the processes is not held.
    @Test func controllersThatAreMissingAreNamed() throws {
        let (fixture, error) = try start {
            $0.bubblewrap = "0.8.0"
            $0.refusedCalls = 60
            $0.controllers = ["cpu", "cpuset"]
            $0.cgroupProblems = []
        }
        #expect(error?.code == .unavailable)
        #expect(
            error?.description
                == "sandbox: the policy requires full isolation, which this machine cannot give: no limits by the control group for want of memory, pids: no such controller"
        )
        #expect(access(fixture.job + "/exit.json", F_OK) != 0, "nothing ran")
    }

    /// What a launcher found at its start may be gone, or refuse a value.
    @Test(
        .enabled(
            if: Fixture.isolates && Fixture.hasCgroup && !Fixture.capabilities.isFull,
            "needs cgroups without controllers"))
    func aLimitThatCannotBeSetIsNamed() throws {
        let (fixture, error) = try start { _ in }
        #expect(error?.code == .unavailable)
        #expect(
            error?.message.contains("these limits cannot be set: cpu.max: this cgroup has no cpu controller") == true)
        #expect(access(fixture.job + "/exit.json", F_OK) != 0, "nothing ran")
    }

    @Test func fullIsAllOfTheWallsAndAllOfTheLimits() {
        var capabilities = SandboxCapabilities(bubblewrap: "0.8.0", refusedCalls: 60)
        #expect(capabilities.isolates && !capabilities.isFull)
        capabilities.controllers = ["cpu", "cpuset", "memory", "pids"]
        #expect(capabilities.isFull && capabilities.missing == [])
        capabilities.refusedCalls = nil
        #expect(!capabilities.isFull && capabilities.missing.count == 1)
    }

    @Test(.enabled(if: Fixture.capabilities.isFull, "bubblewrap or a controller is missing here"))
    func aMachineThatCanRunsTheJob() async throws {
        let fixture = try Fixture()
        var profile = fixture.profile()
        profile.requirement = .full
        let outcome = try await fixture.run("echo ran", profile: profile)
        #expect(outcome.stdout == "ran\n")
        #expect(outcome.started.enforced.contains { $0.contains("bubblewrap") })
        #expect(outcome.started.enforced.contains { $0.contains("seccomp") })
    }

    /// Best effort runs with the same lack, and says it.
    @Test func bestEffortRunsAndSaysWhatIsMissing() async throws {
        var launcher = try Fixture().launcher
        launcher.capabilities.refusedCalls = nil
        launcher.capabilities.seccompProblem = "no seccomp in this kernel"
        let fixture = try Fixture(launcher: launcher)
        let outcome = try await fixture.run("grep ^Seccomp_filters: /proc/self/status")
        // No more filters than these tests themselves run behind.
        let ours = fixture.text("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("Seccomp_filters:") }
        #expect(outcome.stdout == (ours.map { $0 + "\n" } ?? ""))
        #expect(outcome.started.notEnforced.contains("system calls: no seccomp in this kernel"))
    }
}
