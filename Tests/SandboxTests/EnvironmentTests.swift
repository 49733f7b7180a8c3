import Glibc
import LinuxSystem
import Sandbox
import Testing

/// What a job inherits: only what was meant for it.
@Suite(.timeLimit(.minutes(1)))
struct EnvironmentTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    @Test func theEnvironmentIsBuiltNotInherited() async throws {
        var profile = fixture.profile()
        profile.cpus = 3
        let outcome = try await fixture.run(
            fixture.launch(["/usr/bin/env"], environment: ["MLD_JOB_ID": "42", "OMP_NUM_THREADS": "2", "EMPTY": ""]),
            profile: profile)
        let lines = outcome.stdout.split(separator: "\n").map(String.init)
        let names = Set(lines.map { String($0.prefix { $0 != "=" }) })
        #expect(
            names == [
                "PATH", "HOME", "PWD", "USER", "LOGNAME", "SHELL", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                "MLD_JOB_ID", "EMPTY", "MLD_EVENTS_FD",
            ])
        #expect(lines.contains("OMP_NUM_THREADS=2"))
        #expect(lines.contains("OPENBLAS_NUM_THREADS=3"))
        #expect(lines.contains("PWD=\(fixture.workdir)"))
    }

    /// A library named by the submitter must reach neither the supervisor nor bubblewrap nor our last step: as root they
    /// would run its code.
    @Test func theLoadersVariablesReachTheCommandOnly() async throws {
        let outcome = try await fixture.run("echo $LD_PRELOAD", environment: ["LD_PRELOAD": "/no/such/library.so"])
        #expect(outcome.stdout == "/no/such/library.so\n")
        // The loader complains once for each program it starts: here only the shell.
        #expect(outcome.stderr.split(separator: "\n").count == 1)
    }

    @Test func descriptorsAreNotInherited() async throws {
        let leaked = open("/etc/passwd", O_RDONLY)
        defer { close(leaked) }
        let listing = [
            "/bin/sh", "-c", "for n in 0 1 2 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$n ]; then echo $n; fi; done",
        ]
        #expect(try await fixture.run(fixture.launch(listing)).stdout == "0\n1\n2\n3\n")
        var launch = fixture.launch(listing)
        launch.eventsPath = nil
        launch.stdoutPath = fixture.job + "/other"
        _ = try await fixture.run(launch)
        #expect(fixture.text(fixture.job + "/other") == "0\n1\n2\n")
    }

    @Test func aNameThatCannotBePassedIsRefused() throws {
        for name in ["", "A=B", "A\0B"] {
            let launch = fixture.launch(["/bin/true"], environment: [name: "x"])
            #expect(throws: SandboxError.self) { try fixture.launcher.start(launch, profile: fixture.profile()) }
        }
    }

    @Test func limitsAreSetAndSaid() async throws {
        var profile = fixture.profile()
        profile.maxFileSize = 8192
        profile.memoryLimit = 256 << 20
        let outcome = try await fixture.run(
            "ulimit -c; ulimit -f; head -c 100000 /dev/zero >big; stat -c %s big", profile: profile)
        #expect(outcome.stdout.hasPrefix("0\n16\n"))
        #expect(outcome.stdout.hasSuffix("\n8192\n"))
        #expect(outcome.started.enforced.contains("no file above 8192 bytes"))
        #expect(outcome.started.enforced.contains { $0.hasPrefix("memory limit 268435456 bytes") })
    }

    @Test func memoryBeyondTheLimitIsRefused() async throws {
        var profile = fixture.profile()
        profile.memoryLimit = 64 << 20
        let hungry = ["/usr/bin/perl", "-e", "my $x = 'x' x (400 << 20); print length $x"]
        let bounded = try await fixture.run(fixture.launch(hungry), profile: profile)
        #expect(bounded.record.exitStatus != 0)
        #expect(bounded.stdout.isEmpty)
        let free = try await fixture.run(fixture.launch(hungry))
        #expect(free.stdout == String(400 << 20))
    }
}
