import Glibc
import LinuxSystem
import Sandbox
import Testing

/// A daemon of root runs each job as its submitter. Needs root; `nobody` stands for the submitter.
@Suite(.timeLimit(.minutes(1)), .enabled(if: Fixture.isRoot && Fixture.isolates, "only root can become another user"))
struct OtherUserTests {
    let fixture: Fixture
    let nobody = Launch.User(uid: 65534, gid: 65534, groups: [65534, 4711])

    init() throws {
        fixture = try Fixture()
        chown(fixture.workdir, 65534, 65534)
    }

    @Test func theJobIsTheSubmitterAndNothingMore() async throws {
        let script = """
            id -u; id -g; id -G; echo x >made; grep CapEff /proc/self/status; echo y >>/dev/stdout
            cat /etc/shadow 2>/dev/null; echo x >$HOME/cache && echo x >/tmp/file && echo x >/dev/shm/file && echo private
            """
        let outcome = try await fixture.run(script) { $0.runAs = nobody }
        #expect(outcome.stderr == "")
        #expect(outcome.record.message == nil)
        #expect(outcome.stdout == "65534\n65534\n65534 4711\nCapEff:\t0000000000000000\ny\nprivate\n")
        var information = stat()
        #expect(stat(fixture.workdir + "/made", &information) == 0)
        #expect(information.st_uid == 65534)
    }

    @Test func aPathTheSubmitterCannotReachIsRefused() throws {
        // Everybody may read the inner directory, but only root gets to it.
        let outer = fixture.root + "/closed"
        #expect(mkdir(outer, 0o700) == 0)
        #expect(mkdir(outer + "/inner", 0o777) == 0)
        chmod(outer + "/inner", 0o777)
        var launch = fixture.launch(["/bin/true"])
        launch.runAs = nobody
        var profile = fixture.profile()
        profile.readOnly = [outer + "/inner"]
        let error = #expect(throws: SandboxError.self) { try fixture.launcher.start(launch, profile: profile) }
        #expect(error?.description == "read-only: \(outer)/inner: Permission denied")
    }

    /// Names that would answer for the path behind them: a line more, and one less.
    @Test func aNameCannotAnswerForAPathTheSubmitterCannotReach() throws {
        let closed = fixture.root + "/closed"
        let forged = fixture.workdir + "/Y\nok 1 2 d "
        try #require(mkdir(closed, 0o700) == 0 && mkdir(closed + "/inner", 0o777) == 0)
        try #require(mkdir(forged, 0o777) == 0)
        try #require(symlink(forged, fixture.workdir + "/link") == 0)
        var launch = fixture.launch(["/bin/true"])
        launch.runAs = nobody
        var profile = fixture.profile()
        profile.readOnly = [fixture.workdir + "/link", closed + "/inner"]
        let error = #expect(throws: SandboxError.self) { try fixture.launcher.start(launch, profile: profile) }
        #expect(error?.code == .badProfile)
        #expect(error?.message.contains("printable characters") == true, "\(String(describing: error))")
    }

    /// The parent of what is hidden was granted: its own output and its own description are there all the same.
    @Test(arguments: [false, true]) func whatIsItsOwnIsReachedInWhatIsHidden(isWritable: Bool) async throws {
        let output = fixture.job + "/output"
        #expect(mkdir(output, 0o700) == 0)
        chown(output, 65534, 65534)
        try fixture.write("spec", to: fixture.job + "/spec")
        try fixture.write("secret", to: fixture.state + "/ledger", mode: 0o666)
        var profile = fixture.profile()
        if isWritable { profile.readWrite = [fixture.root] } else { profile.readOnly = [fixture.root] }
        profile.outputDirectory = output
        profile.programs = [fixture.job + "/spec"]
        let script =
            "echo x > \(output)/made; cat \(fixture.job)/spec; cat \(fixture.state)/ledger 2>/dev/null || echo none"
        let outcome = try await fixture.run(script, profile: profile) { $0.runAs = nobody }
        #expect(outcome.record.message == nil)
        #expect(outcome.stdout == "specnone\n", "\(outcome.stderr)")
        #expect(fixture.text(output + "/made") == "x\n")
    }

    private func owner(_ path: String) throws -> UInt32 {
        var information = stat()
        try #require(lstat(path, &information) == 0, "\(path)")
        return information.st_uid
    }

    /// Where it writes is its own before it begins; of a link the link alone, for what is behind it may be anybody's.
    @Test func thePlacesItWritesToAreGivenToIt() async throws {
        let output = fixture.job + "/output"
        let secret = fixture.state + "/secret"
        let link = fixture.job + "/link"
        #expect(mkdir(output, 0o700) == 0 && symlink(secret, link) == 0)
        try fixture.write("secret", to: secret, mode: 0o600)
        try fixture.write("", to: fixture.job + "/events", mode: 0o600)
        var profile = fixture.profile()
        profile.outputDirectory = output
        let outcome = try await fixture.run("echo x >\(output)/made; cat \(output)/made", profile: profile) {
            $0.runAs = nobody
            $0.given = [output, link]
        }
        #expect(outcome.record.message == nil && outcome.stdout == "x\n", "\(outcome.stderr)")
        for path in [output, link, fixture.job + "/events"] { #expect(try owner(path) == 65534, "\(path)") }
        #expect(try owner(secret) == 0)
    }

    @Test func aPlaceThatCannotBeGivenIsAFailureOfTheStart() async throws {
        let outcome = try await fixture.run("echo ran") {
            $0.runAs = nobody
            $0.given = [fixture.job + "/none"]
        }
        #expect(outcome.record.cause == .couldNotStart)
        let message = outcome.record.message
        #expect(message?.contains("give \(fixture.job)/none to the job's user") == true, "\(message ?? "none")")
        #expect(outcome.stdout == "")
    }

    @Test func aDirectoryExchangedAfterTheCheckIsNoticed() async throws {
        // What the launcher would have passed for a directory that has been replaced since.
        let output = try ProcessSpawner.run(
            Fixture.execPath, arguments: ["exec", "--verify", "1:2:\(fixture.workdir)", "--", "/bin/echo", "ran"])
        #expect(output.status == 126 << 8)
        #expect(output.text.contains("was replaced while the job was being started"))
    }
}

/// The same, seen by a user who is not root.
@Suite(.enabled(if: !Fixture.isRoot, "root can become another user"))
struct NotRootTests {
    @Test(.enabled(if: Fixture.isolates, "bubblewrap does not work here"))
    func processesAreLimited() async throws {
        let fixture = try Fixture()
        var profile = fixture.profile()
        profile.maxProcesses = 5
        let script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2 & done; echo all"
        let bounded = try await fixture.run(script, profile: profile)
        #expect(bounded.stdout == "")
        #expect(bounded.started.enforced.contains { $0.hasPrefix("at most 5 processes") })
        #expect(try await fixture.run(script).stdout == "all\n")
    }

    @Test func nobodyElseCanBeNamed() throws {
        let fixture = try Fixture()
        var launch = fixture.launch(["/bin/true"])
        launch.runAs = Launch.User(uid: geteuid() + 1, gid: 1)
        let error = #expect(throws: SandboxError.self) {
            try fixture.launcher.start(launch, profile: fixture.profile())
        }
        #expect(error?.code == .unavailable)
    }
}
