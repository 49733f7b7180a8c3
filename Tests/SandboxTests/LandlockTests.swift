import Glibc
import LinuxSystem
import Testing

@testable import Sandbox

/// Landlock: behind bubblewrap, without it, and where the kernel has none.
@Suite(.timeLimit(.minutes(2)))
struct LandlockTests {
    static var version: Int { Fixture.capabilities.landlock ?? 0 }

    private func bare() throws -> Fixture {
        try Fixture(
            launcher: SandboxLauncher(execPath: Fixture.execPath, bubblewrapPath: "/no/such/bwrap", cgroups: nil))
    }

    /// The words of the chain's last step.
    private func words(
        _ fixture: Fixture, _ profile: SandboxProfile, launcher: SandboxLauncher? = nil
    ) throws -> (plan: ChainPlan, words: [String]) {
        let launch = fixture.launch(["/bin/true"])
        let resolved = try ResolvedProfile(
            profile, resolver: PathResolver(execPath: Fixture.execPath, user: launch.runAs))
        let plan = try ChainPlan(
            launcher: launcher ?? fixture.launcher, launch: launch, profile: profile, resolved: resolved, cgroup: nil,
            numbers: (3, 4, 5, 6))
        return (plan, plan.arguments)
    }

    private func paths(_ option: String, in words: [String]) -> Set<String> {
        Set(words.indices.dropLast().filter { words[$0] == option }.map { words[$0 + 1] })
    }

    @Test(.enabled(if: version > 0, "this kernel has no Landlock"))
    func theVersionIsInTheRecord() async throws {
        let fixture = try Fixture()
        let outcome = try await fixture.run("true")
        #expect(
            outcome.started.enforced.contains { $0.contains("Landlock") && $0.hasSuffix("(version \(Self.version))") })
        #expect(!outcome.started.notEnforced.contains { $0.hasPrefix("Landlock") })
    }

    @Test func aKernelWithoutItIsInTheRecord() async throws {
        let fixture = try Fixture()
        var launcher = fixture.launcher
        launcher.capabilities.landlock = nil
        launcher.capabilities.landlockProblem = "Function not implemented"
        let (plan, words) = try words(fixture, fixture.profile(), launcher: launcher)
        #expect(plan.notEnforced.contains("Landlock: Function not implemented"))
        #expect(!plan.enforced.contains { $0.contains("Landlock") })
        #expect(!words.contains("--landlock"))
        // It is a second wall: what else there is makes the isolation full or not.
        #expect(launcher.capabilities.isolates == Fixture.isolates)
        let without = try Fixture(launcher: launcher)
        #expect(try await without.run("echo ran").stdout == "ran\n")
    }

    @Test func thePolicyCanSwitchItOff() async throws {
        let fixture = try Fixture()
        var profile = fixture.profile()
        profile.landlock = false
        let outcome = try await fixture.run("echo ran", profile: profile)
        #expect(outcome.stdout == "ran\n")
        #expect(outcome.started.notEnforced.contains("Landlock: switched off by the policy"))
    }

    @Test(.enabled(if: version > 0 && Fixture.isolates, "needs Landlock and bubblewrap"))
    func behindTheMountsItGrantsWhatTheyShow() throws {
        let fixture = try Fixture()
        for name in ["/data", "/results"] { mkdir(fixture.root + name, 0o755) }
        var profile = fixture.profile()
        profile.readOnly = [fixture.root + "/data"]
        profile.readWrite = [fixture.root + "/results"]
        profile.devices = ["/dev/null"]
        let (_, words) = try words(fixture, profile)
        #expect(paths("--grant-read", in: words) == ["/"])
        let writable = paths("--grant-write", in: words)
        #expect(
            writable.isSuperset(of: [fixture.workdir, fixture.root + "/results", "/tmp", "/var/tmp", "/dev/shm"]))
        #expect(!writable.contains(fixture.root + "/data"))
        #expect(paths("--grant-use", in: words).contains("/dev/null"))
        #expect(!words.contains("--deny-tcp"), "the job's own loopback is its own")
    }

    /// What programs do every day still works behind it.
    @Test(.enabled(if: version > 0 && Fixture.isolates, "needs Landlock and bubblewrap"))
    func everydayWorkGoesOn() async throws {
        let fixture = try Fixture()
        let script = """
            mkdir a b; echo x >a/file; mv a/file b/file; ln b/file b/hard; ln -s file b/soft; cat b/soft
            mkfifo pipe; (echo through >pipe) & cat pipe
            mv b/file /tmp/moved && cat /tmp/moved; rm -r a b
            echo out >>/dev/stdout; echo null >/dev/null; head -c 4 /dev/urandom | wc -c
            cat <<END
            here
            END
            """
        let outcome = try await fixture.run(script)
        #expect(outcome.stderr == "")
        #expect(outcome.stdout == "x\nthrough\nx\nout\n4\nhere\n")
    }

    @Test(.enabled(if: version > 0, "this kernel has no Landlock"))
    func withoutBubblewrapItIsTheWallForFiles() async throws {
        let fixture = try bare()
        for name in ["/data", "/results", "/closed"] { mkdir(fixture.root + name, 0o755) }
        for name in ["/data/rows", "/closed/secret", "/state/ledger.db"] {
            try fixture.write("x", to: fixture.root + name)
        }
        var profile = fixture.profile()
        profile.readOnly = [fixture.root + "/data"]
        profile.readWrite = [fixture.root + "/results"]
        let base = fixture.root
        let script = """
            cat \(base)/data/rows; echo; cat \(base)/closed/secret \(base)/state/ledger.db
            (echo x >\(base)/data/new) 2>/dev/null && echo "wrote data"
            (echo x >/tmp/mld-landlock-test) 2>/dev/null && echo "wrote /tmp"
            echo x >\(base)/results/r && echo x >here && echo x >"${TMPDIR:-.}/t" && echo wrote
            """
        let outcome = try await fixture.run(script, profile: profile)
        #expect(outcome.stdout == "x\nwrote\n")
        #expect(outcome.stderr.components("Permission denied") == 2)
        #expect(outcome.started.enforced.contains { $0.hasPrefix("files") && $0.contains("held by Landlock (version") })
        #expect(outcome.started.notEnforced.contains { $0.contains("TMPDIR is the working directory") })
        // The same without it: nothing is closed to the user.
        profile.landlock = false
        #expect(try await fixture.run(script, profile: profile).stdout.contains("xx"))
        unlink("/tmp/mld-landlock-test")
    }

    /// Rules can only add, so a folder with mld's own in it shows it; that is said.
    @Test(.enabled(if: version > 0, "this kernel has no Landlock"))
    func whatItCannotHideIsSaid() async throws {
        let fixture = try bare()
        mkdir(fixture.workdir + "/state", 0o755)
        var profile = fixture.profile()
        profile.hidden = [fixture.workdir + "/state"]
        let outcome = try await fixture.run("true", profile: profile)
        #expect(outcome.started.notEnforced.contains("mld's own files are not hidden: \(fixture.workdir)/state"))
        #expect(
            try await !fixture.run("true").started.notEnforced.contains { $0.hasPrefix("mld's own files") })
    }

    @Test(arguments: [
        ["--grant-read"], ["--allow-call", "mount"], ["--seccomp", "default", "--allow-call", "ptrace"],
    ])
    func wrongOptionsAreRefused(options: [String]) throws {
        let output = try ProcessSpawner.run(
            Fixture.execPath, arguments: ["exec"] + options + ["--", "/bin/echo", "ran"])
        #expect(output.status == 2 << 8)
        #expect(!output.text.contains("ran"))
    }

    @Test func aCallNobodyKnowsStopsTheStart() async throws {
        let fixture = try Fixture()
        var profile = fixture.profile()
        profile.refusedCalls = ["call_of_the_next_decade"]
        let outcome = try await fixture.run("echo ran", profile: profile)
        #expect(outcome.record.cause == .couldNotStart)
        #expect(outcome.stdout == "")
        #expect(
            outcome.record.message
                == "refuse-syscalls: this machine's libseccomp does not know \"call_of_the_next_decade\"")
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func components(_ part: String) -> Int {
        split(separator: part, omittingEmptySubsequences: false).count - 1
    }
}
