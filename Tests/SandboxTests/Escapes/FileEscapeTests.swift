import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts on files: others' and the daemon's.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct FileEscapeTests {
    @Test(arguments: Attacker.all)
    func writingOutsideTheBinds(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        mkdir(escape.root + "/open", 0o777)
        chmod(escape.root + "/open", 0o777)
        let script = "print(attempt(lambda: open(ROOT + '/open/mine', 'w')))"
        #expect(try await escape.inside(script) == "ENOENT")
        #expect(access(escape.root + "/open/mine", F_OK) != 0)
        #expect(try escape.outside(script) == "ok")
        #expect(try await escape.inside(script) { $0.readWrite = [escape.root + "/open"] } == "ok")
    }

    @Test(arguments: Attacker.all)
    func writingTheSystem(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(attempt(lambda: os.open('/etc/passwd', os.O_WRONLY | os.O_APPEND)))"
        let said = try await escape.inside(script)
        #expect(attacker.isRoot ? said == "EROFS" : said == "EACCES" || said == "EROFS")
        // Only opened; who is not root may not outside either.
        #expect(try escape.outside(script) == (attacker.isRoot ? "ok" : "EACCES"))
    }

    @Test(arguments: Attacker.all)
    func readingAnotherJobsFiles(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        mkdir(escape.fixture.state + "/other", 0o755)
        try escape.fixture.write("theirs", to: escape.fixture.state + "/other/stdout")
        let script = "print(attempt(lambda: open(ROOT + '/state/other/stdout').read()))"
        #expect(try await escape.inside(script) == "ENOENT")
        #expect(try escape.outside(script) == "ok")
    }

    @Test(arguments: Attacker.all)
    func readingTheLedger(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        try escape.fixture.write("rows", to: escape.fixture.state + "/ledger.db")
        let script = "print(attempt(lambda: open(ROOT + '/state/ledger.db').read()))"
        #expect(try await escape.inside(script) == "ENOENT")
        #expect(try escape.outside(script) == "ok")
    }

    @Test(arguments: Attacker.all)
    func readingTheLedgerInsideOnesOwnFolder(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        mkdir(escape.work + "/state", 0o755)
        try escape.fixture.write("rows", to: escape.work + "/state/ledger.db")
        let script = "print(attempt(lambda: open('state/ledger.db').read()), os.listdir('state'))"
        #expect(try await escape.inside(script) { $0.hidden = [escape.work + "/state"] } == "ENOENT []")
        #expect(try await escape.inside(script) { $0.hidden = [] } == "ok ['ledger.db']")
    }

    @Test(arguments: Attacker.all)
    func readingTheLedgerThroughABindOfThePolicy(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        for name in ["/srv", "/srv/state"] { mkdir(escape.root + name, 0o755) }
        try escape.fixture.write("rows", to: escape.root + "/srv/state/ledger.db")
        try escape.fixture.write("data", to: escape.root + "/srv/data")
        let script = """
            print(open(ROOT + '/srv/data').read(), attempt(lambda: open(ROOT + '/srv/state/ledger.db').read()),
                attempt(lambda: open(ROOT + '/srv/data', 'a')))
            """
        let given: (inout SandboxProfile) -> Void = { $0.given = [escape.root + "/srv"] }
        let outcome = try await escape.run(script) {
            given(&$0)
            $0.hidden = [escape.root + "/srv/state"]
        }
        // To whom the file belongs the mount says it, to the other its mode.
        let refused = attacker == .own ? "EROFS" : "EACCES"
        #expect(outcome.stdout.trimmed == "data ENOENT \(refused)")
        #expect(
            outcome.started.enforced.contains("readable besides, given by the policy: \(escape.root)/srv"))
        #expect(try await escape.inside(script, given) == "data ok \(refused)")
    }

    /// A record of its own making would tell the daemon another end.
    @Test(arguments: Attacker.all)
    func forgingTheRecordOfItsEnd(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            for name in ("exit.json", "exit.json.new"):
                print(attempt(lambda: open(ROOT + "/state/job/" + name, "w").write("{}")))
            sys.exit(3)
            """
        let outcome = try await escape.run(script)
        #expect(outcome.stdout == "ENOENT\nENOENT\n")
        #expect(outcome.record.exitStatus == 3)
        for name in ["exit.json", "exit.json.new"] { unlink(escape.fixture.job + "/" + name) }
        #expect(try escape.outside(script) == "ok\nok")
    }

    @Test(arguments: Attacker.all)
    func theDaemonsSocket(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let listener = try Listener(unix: escape.fixture.state + "/sock")
        let script = """
            s = socket.socket(socket.AF_UNIX)
            print(attempt(lambda: s.connect(ROOT + "/state/sock")))
            """
        #expect(try await escape.inside(script) == "ENOENT")
        #expect(try escape.outside(script) == "ok")
        withExtendedLifetime(listener) {}
    }

    @Test(arguments: Attacker.all)
    func theDaemonsSocketInsideOnesOwnFolder(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let listener = try Listener(unix: escape.work + "/sock")
        let script = "s = socket.socket(socket.AF_UNIX)\nprint(attempt(lambda: s.connect('sock')))"
        #expect(try await escape.inside(script) { $0.hidden = [escape.work + "/sock"] } == "ECONNREFUSED")
        #expect(try await escape.inside(script) { $0.hidden = [] } == "ok")
        withExtendedLifetime(listener) {}
    }

    @Test(arguments: Attacker.all)
    func theMachinesTemporaryFiles(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(os.path.exists(ROOT + '/state'), len([n for n in os.listdir('/tmp') if n not in ROOT]))"
        #expect(try await escape.inside(script) == "False 0")
        #expect(try escape.outside(script).hasPrefix("True"))
    }

    // MARK: - Links

    @Test(arguments: Attacker.all)
    func aLinkOutOfTheWorkingDirectory(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        try escape.fixture.write("theirs", to: escape.root + "/secret")
        let script = """
            if not os.path.islink(WORK + "/link"): os.symlink("../secret", WORK + "/link")
            print(attempt(lambda: open(WORK + "/link").read()))
            """
        #expect(try await escape.inside(script) == "ENOENT")
        #expect(try escape.outside(script) == "ok")
    }

    /// The policy is asked by text at submission; the link is followed at the start.
    @Test(arguments: Attacker.all)
    func aLinkOutOfThePlacesOfThePolicy(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        for name in ["/theirs", "/mine"] { mkdir(escape.root + name, 0o755) }
        try escape.fixture.write("secret", to: escape.root + "/theirs/file")
        chown(escape.root + "/mine", 65534, 65534)
        #expect(symlink("../theirs", escape.root + "/mine/link") == 0)
        let script = "print(attempt(lambda: open(ROOT + '/theirs/file').read()))"
        let ask: (inout SandboxProfile) -> Void = { $0.readOnly = [escape.root + "/mine/link"] }
        let error = await #expect(throws: SandboxError.self) {
            try await escape.run(script) {
                ask(&$0)
                $0.readOnlyUnder = [escape.root + "/mine"]
                $0.readWriteUnder = [escape.work]
            }
        }
        #expect(error?.description == "read-only: \(escape.root)/theirs lies where the policy lets no job read")
        #expect(
            try await escape.inside(script) {
                ask(&$0)
                $0.readOnlyUnder = [escape.root + "/theirs"]
            } == "ok")
    }

    /// In a home every link is its owner's: `~/results` must not become what the link says.
    @Test func aLinkInTheHomeThePolicyNames() async throws {
        let escape = try Escape()
        for name in ["/home", "/theirs"] { mkdir(escape.root + name, 0o755) }
        #expect(symlink("../theirs", escape.root + "/home/results") == 0)
        let profile = { (under: String) in
            var profile = escape.fixture.profile()
            profile.readWrite = [escape.root + "/home/results"]
            profile.readWriteUnder = [escape.work, under]
            profile.home = escape.root + "/home"
            return profile
        }
        let error = await #expect(throws: SandboxError.self) {
            try await escape.fixture.run("true", profile: profile("~/results"))
        }
        #expect(error?.message == "\(escape.root)/theirs lies where the policy lets no job write")
        unlink(escape.root + "/home/results")
        mkdir(escape.root + "/home/results", 0o755)
        #expect(try await escape.fixture.run("true", profile: profile("~/results")).record.exitStatus == 0)
    }

    /// The daemon follows the policy's paths with its own rights, so nobody else may lay them.
    @Test func aBindSomebodyElseCanExchange() async throws {
        let escape = try Escape()
        for name in ["/shared", "/secret"] { mkdir(escape.root + name, 0o755) }
        try escape.fixture.write("theirs", to: escape.root + "/secret/file")
        #expect(symlink(escape.root + "/secret", escape.root + "/shared/data") == 0)
        let script = "print(attempt(lambda: open(ROOT + '/secret/file').read()))"
        let given: (inout SandboxProfile) -> Void = { $0.given = [escape.root + "/shared/data"] }
        #expect(try await escape.inside(script, given) == "ok")
        chmod(escape.root + "/shared", 0o777)
        let error = await #expect(throws: SandboxError.self) { try await escape.run(script, given) }
        #expect(
            error?.description
                == "bind of the policy: \(escape.root)/shared/data can be exchanged by all who may write to \(escape.root)/shared"
        )
    }

    @Test func aLogThatIsALink() async throws {
        let escape = try Escape()
        try escape.fixture.write("precious", to: escape.root + "/precious")
        #expect(symlink(escape.root + "/precious", escape.fixture.job + "/out") == 0)
        var launch = escape.fixture.launch(["/bin/echo", "overwritten"])
        launch.stdoutPath = escape.fixture.job + "/out"
        #expect(throws: SandboxError.self) {
            try escape.fixture.launcher.start(launch, profile: escape.fixture.profile())
        }
        #expect(escape.fixture.text(escape.root + "/precious") == "precious")
        unlink(launch.stdoutPath)
        _ = try await escape.fixture.run(launch)
        #expect(escape.fixture.text(launch.stdoutPath) == "overwritten\n")
    }

    /// Through the other end of a descriptor: its own log can be opened anew, what lies beside it cannot.
    @Test(arguments: Attacker.all)
    func whatLiesBesideItsLog(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        try escape.fixture.write("theirs", to: escape.fixture.job + "/beside", mode: 0o666)
        let script = """
            log = os.readlink("/proc/self/fd/1")
            print(attempt(lambda: open("/proc/self/fd/1", "a")))
            print(attempt(lambda: open(os.path.dirname(log) + "/beside")))
            print(attempt(lambda: os.open("beside", os.O_RDONLY, dir_fd=1)))
            """
        #expect(try await escape.inside(script) == "ok\nENOENT\nENOTDIR")
        let control = "print(attempt(lambda: open(ROOT + '/state/job/beside')))"
        #expect(try escape.outside(control) == "ok")
    }

    /// A root of its own would have its own way up.
    @Test(arguments: Attacker.all)
    func theRootOfProcessOne(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        try escape.fixture.write("theirs", to: escape.root + "/secret")
        let script = """
            print([attempt(lambda: open(f"/proc/{p}/root" + ROOT + "/secret")) for p in ("self", "1", "thread-self")])
            """
        let said = try await escape.inside(script)
        #expect(!said.contains("ok"), "\(said)")
        #expect(said.contains("ENOENT"))
        #expect(try escape.outside(script).hasPrefix("['ok'"))
    }

    /// A descriptor of a directory outside, as a bug in the chain might leave one: only Landlock holds there.
    @Test(.enabled(if: Fixture.capabilities.landlock != nil, "this kernel has no Landlock"))
    func aDescriptorThatLeadsOut() throws {
        let escape = try Escape()
        try escape.fixture.write("theirs", to: escape.root + "/secret")
        // As the last step of a job, with the directory as descriptor 3.
        func open(_ landlock: [String]) throws -> String {
            let script = """
                \(Fixture.execPath) exec --close-fds-from 4 \(landlock.joined(separator: " ")) -- \
                \(Escape.python) -I -c 'import os; os.open("secret", os.O_RDONLY, dir_fd=3); print("read")' 3<\(escape.root)
                """
            return try ProcessSpawner.run("/bin/sh", arguments: ["-c", script]).text
        }
        let system = ResolvedTrees.system.flatMap { ["--grant-read", $0] }
        #expect(try open(["--landlock"] + system).contains("PermissionError: [Errno 13]"))
        #expect(try open(["--landlock", "--grant-read", escape.root] + system) == "read\n")
        #expect(try open([]) == "read\n")
    }
}

/// What a program of the system needs to start.
enum ResolvedTrees {
    static let system = ["/usr", "/etc", "/bin", "/lib", "/lib64", "/proc", "/dev"]
}
