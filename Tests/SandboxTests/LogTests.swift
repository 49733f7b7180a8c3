import Glibc
import LinuxSystem
import Sandbox
import Testing

/// A job's output on its way through its supervisor.
@Suite(.timeLimit(.minutes(1)))
struct LogTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    private func size(_ path: String) -> Int? {
        var information = stat()
        return stat(path, &information) == 0 ? Int(information.st_size) : nil
    }

    @Test func theJobWritesIntoAPipeThatItCanOpenAnew() async throws {
        let outcome = try await fixture.run(
            "readlink /proc/self/fd/1 | cut -c 1-5; echo again >/dev/stdout; echo more >>/proc/self/fd/1; echo e >/dev/stderr"
        )
        #expect(outcome.stdout == "pipe:\nagain\nmore\n")
        #expect(outcome.stderr == "e\n")
        #expect(outcome.record.outputLostBytes == 0)
        #expect(outcome.record.outputDroppedBytes == 0)
    }

    @Test(.enabled(if: Fixture.isRoot && Fixture.isolates, "only root can become another user"))
    func anotherUserCanOpenItTooAndNotTheFile() async throws {
        chown(fixture.workdir, 65534, 65534)
        let outcome = try await fixture.run("echo a >/dev/stdout; echo b >/proc/self/fd/1; echo c >/dev/stderr") {
            $0.runAs = Launch.User(uid: 65534, gid: 65534)
        }
        #expect(outcome.stdout == "a\nb\n")
        #expect(outcome.stderr == "c\n")
        var information = stat()
        #expect(stat(fixture.job + "/stdout", &information) == 0)
        #expect(information.st_uid == geteuid())
        #expect(information.st_mode & 0o7777 == 0o600)
    }

    @Test func theLastHalfToWholeOfTheLimitIsKept() async throws {
        let limit = 20_000
        let outcome = try await fixture.run("seq 1 20000; echo last") { $0.logLimitBytes = Int64(limit) }
        let whole = (1...20_000).map { "\($0)\n" }.joined() + "last\n"
        let (older, newer) = (fixture.text(fixture.job + "/stdout.1"), fixture.text(fixture.job + "/stdout"))
        #expect(older.utf8.count == limit / 2)
        #expect(newer.utf8.count <= limit / 2)
        #expect(whole.hasSuffix(older + newer))
        let dropped = whole.utf8.count - older.utf8.count - newer.utf8.count
        #expect(outcome.record.outputDroppedBytes == Int64(dropped))
        #expect(
            outcome.stderr
                == "mld: \(dropped) bytes from the beginning of stdout were dropped: a log keeps at most 20000 bytes\n")
    }

    @Test func theOffsetOfTheOlderFileIsWrittenDown() async throws {
        let whole = (1...5000).map { "\($0)\n" }.joined()
        for attempt in 1...2 {
            // Not by `run`, which begins with empty files.
            var launch = fixture.launch(["/usr/bin/seq", "1", "5000"])
            launch.logLimitBytes = 8000
            let started = try fixture.launcher.start(launch, profile: fixture.profile())
            _ = try await fixture.outcome(of: started)
            let older = fixture.job + "/stdout.1"
            var information = stat()
            try #require(stat(older, &information) == 0)
            let lines = fixture.text(fixture.job + "/stdout.base").split(separator: "\n")
            let line = try #require(lines.first { $0.hasPrefix("\(information.st_ino) ") })
            let base = try #require(Int(line.split(separator: " ")[1]))
            let end = base + (try #require(size(older))) + (try #require(size(fixture.job + "/stdout")))
            #expect(end == attempt * whole.utf8.count)
        }
    }

    @Test func twoStreamsIntoOneFileKeepTheirOrder() async throws {
        let outcome = try await fixture.run("echo a; echo b >&2; echo c; echo d >&2") {
            $0.stderrPath = $0.stdoutPath
        }
        #expect(outcome.stdout == "a\nb\nc\nd\n")
    }

    @Test func whatWasWrittenJustBeforeTheEndIsThere() async throws {
        // More than a pipe holds, from a process that nobody waits for.
        let outcome = try await fixture.run(
            "(trap '' TERM; yes x | head -c 300000) & wait; head -c 60000 /dev/zero; kill -9 $$")
        #expect(outcome.stdout.utf8.count == 360_000)
        #expect(outcome.record.signal == SIGKILL)
    }

    @Test func aProcessThatOutlivesTheJobHoldsNobodyUp() async throws {
        let outcome = try await fixture.run("(trap '' TERM HUP; echo kept; exec sleep 100000) & sleep 0.1; exit 4")
        #expect(outcome.record.exitStatus == 4)
        #expect(outcome.stdout == "kept\n")
    }

    @Test(.enabled(if: Fixture.hasCgroup, "no cgroup to freeze"))
    func aFrozenJobsOutputStillArrives() async throws {
        // It fills the pipe and is frozen in the middle of it.
        let started = try fixture.launcher.start(
            fixture.launch(["/bin/sh", "-c", "echo ready; while :; do echo x; done"]), profile: fixture.profile())
        try await fixture.untilPrinted("x")
        try fixture.launcher.freeze(started)
        try await fixture.until { fixture.launcher.isFrozen(started) == true }
        // What was in the pipe arrives, and then no more.
        var sizes = (size(fixture.job + "/stdout"), Int?.none)
        while sizes.0 != sizes.1 {
            try await Task.sleep(for: .milliseconds(50))
            sizes = (size(fixture.job + "/stdout"), sizes.0)
        }
        try fixture.launcher.kill(started)
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.cause == .stopped)
        #expect(outcome.stdout.hasPrefix("ready\nx\n"))
    }

    @Test func aStartForWhichDescriptorsWantMayBeTriedAgain() async throws {
        // Room for the record, not for the pipes.
        let record = fixture.job + "/exit.json"
        _ = try ProcessSpawner.run(
            "/bin/sh",
            arguments: [
                "-c", "ulimit -n 7; exec \(Fixture.execPath) supervise --record \(record) -- /bin/true",
            ])
        let found = try #require(ExitRecord.read(record))
        #expect(found.cause == .couldNotStart)
        #expect(found.message == "pipe: Too many open files")
        #expect(found.mayStartLater)
        let missing = try await fixture.run(fixture.launch(["no-such-program"])).record
        #expect(missing.cause == .couldNotStart)
        #expect(!missing.mayStartLater)
    }

    @Test func theEndOfTheTimeIsAnnounced() async throws {
        // No child of the shell's that the signal could end.
        #expect(mkfifo(fixture.workdir + "/never", 0o600) == 0)
        let script = "trap 'echo told' USR1; printf half >&2; while :; do read line <>never; done"
        let outcome = try await fixture.run(script) {
            $0.timeLimitSeconds = 8
            $0.graceSeconds = 5
            $0.warnBeforeSeconds = 2
            $0.warnSignal = SIGUSR1
        }
        #expect(outcome.record.cause == .timeLimit)
        #expect(
            outcome.stderr
                == "half\nmld: 2 s left of the time limit of 8 s; SIGTERM then, SIGKILL 5 s later\n")
        #expect(outcome.stdout == "told\n")
        #expect(outcome.record.warnSignal == SIGUSR1)
    }

    /// Due while its sandbox was still being built, where nobody would have heard it.
    @Test(arguments: [5.0, 60])
    func aWarningThatIsDueAtOnceIsHeardAsSoonAsTheJobRuns(warn: Double) async throws {
        let outcome = try await fixture.run("sleep 100") {
            $0.timeLimitSeconds = 5
            $0.warnBeforeSeconds = warn
            $0.warnSignal = SIGUSR1
        }
        #expect(outcome.record.cause == .signalled && outcome.record.signal == SIGUSR1)
        #expect(outcome.record.warnSignal == SIGUSR1 && outcome.record.isEndedByWarning)
    }

    @Test func oneTenthOfTheTimeIsLeftAtTheUsualWarning() async throws {
        let outcome = try await fixture.run("while :; do sleep 0.02; done") { $0.timeLimitSeconds = 5 }
        #expect(outcome.stderr == "mld: 0.5 s left of the time limit of 5 s; SIGTERM then, SIGKILL 5 s later\n")
    }
}

/// A file system of 2 MiB; only root can mount one.
private enum SmallDisk {
    static let canBeMounted: Bool = {
        guard geteuid() == 0, let fixture = try? Fixture(), let small = try? mount(fixture) else { return false }
        return unmount(small)
    }()

    static func mount(_ fixture: Fixture) throws -> String {
        let small = fixture.root + "/small"
        mkdir(small, 0o755)
        let result = try ProcessSpawner.run(
            "/bin/mount", arguments: ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small])
        guard result.status == 0 else { throw SandboxError(.system, stage: "mount", result.text) }
        return small
    }

    @discardableResult
    static func unmount(_ path: String) -> Bool {
        ((try? ProcessSpawner.run("/bin/umount", arguments: ["-l", path]))?.status ?? 1) == 0
    }
}

/// Logs on a disk that is full.
@Suite(.timeLimit(.minutes(1)), .enabled(if: SmallDisk.canBeMounted, "only root can mount a small file system to fill"))
struct FullLogTests {
    @Test func outputIsCountedAsLostAndTheJobGoesOn() async throws {
        let fixture = try Fixture()
        let small = try SmallDisk.mount(fixture)
        defer { SmallDisk.unmount(small) }
        var launch = fixture.launch([
            "/bin/sh", "-c",
            "head -c 2000000 /dev/zero; touch full; while [ ! -e room ]; do sleep 0.02; done; echo after",
        ])
        launch.stdoutPath = small + "/stdout"
        launch.stderrPath = small + "/stderr"
        // There before, as the daemon makes them.
        for path in [launch.stdoutPath, launch.stderrPath] { try fixture.write("", to: path) }
        try fixture.write(String(repeating: "x", count: 1_500_000), to: small + "/filler")
        let started = try fixture.launcher.start(launch, profile: fixture.profile())
        try await fixture.until { access(fixture.workdir + "/full", F_OK) == 0 }
        // More room than what is still in the pipe can take.
        unlink(small + "/filler")
        try fixture.write("", to: fixture.workdir + "/room")
        let outcome = try await fixture.outcome(of: started)
        #expect(outcome.record.exitStatus == 0)
        let lost = try #require(outcome.record.outputLostBytes)
        // All but what found room at once, and what a pipe of 1 MiB still held.
        #expect(lost > 300_000)
        let stdout = fixture.text(launch.stdoutPath)
        #expect(stdout.hasSuffix("after\n"))
        #expect(Int64(stdout.utf8.count) + lost == 2_000_006)
        #expect(fixture.text(launch.stderrPath) == "mld: \(lost) bytes of output lost: no space left on device\n")
    }
}
