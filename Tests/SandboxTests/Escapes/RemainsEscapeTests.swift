import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts to leave something behind, and to bring something along.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct RemainsEscapeTests {
    /// Twice forked, in a session of its own, deaf to every signal it can be deaf to, writing as long as it lives, for at most
    /// a minute. The job itself ends when that one is at work.
    private let stayer = """
        def stay():
            os.setsid()
            if os.fork(): return
            for number in range(1, 65):
                try: signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError): pass
            libc.prctl(1, 0, 0, 0, 0)  # No signal when its parent ends.
            null = os.open("/dev/null", os.O_RDWR)
            for number in range(3): os.dup2(null, number)
            os.chdir("/")
            for _ in range(6000):
                with open(WORK + "/beats", "a") as file: file.write("x")
                time.sleep(0.01)
            os._exit(0)
        child(stay)
        while not os.path.exists(WORK + "/beats"): time.sleep(0.01)
        """

    private func beats(_ escape: Escape) -> Int { escape.fixture.text(escape.work + "/beats").utf8.count }

    /// Whether it still writes: it must have written by the time another process has slept a while.
    private func isAtWork(_ escape: Escape) throws -> Bool {
        let before = beats(escape)
        _ = try ProcessSpawner.run("/bin/sleep", arguments: ["1"])
        return beats(escape) > before
    }

    @Test(arguments: Attacker.all)
    func outlivingTheJob(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let outcome = try await escape.run(stayer)
        #expect(outcome.record.exitStatus == 0)
        #expect(beats(escape) > 0)
        #expect(try !isAtWork(escape))
        unlink(escape.work + "/beats")
        // Outside it does outlive what started it.
        #expect(try escape.outside(stayer + "\nprint('started')") == "started")
        #expect(try isAtWork(escape))
        // It ends when its file can be opened no more.
        _ = try ProcessSpawner.run("/bin/rm", arguments: ["-rf", escape.work])
    }

    @Test(arguments: Attacker.all)
    func outlivingTheSupervisor(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = escape.prelude + stayer + "\ntime.sleep(100000)"
        var launch = escape.fixture.launch([Escape.python, "-I", "-c", script])
        if attacker == .other { launch.runAs = Escape.nobody }
        let started = try escape.fixture.launcher.start(launch, profile: escape.fixture.profile())
        try await escape.fixture.until { beats(escape) > 0 || !escape.fixture.launcher.isAlive(started) }
        #expect(try isAtWork(escape))
        #expect(kill(started.supervisorPID, SIGKILL) == 0)
        try await escape.fixture.launcher.waitForExit(started)
        try await escape.fixture.launcher.cleanUp(started)
        #expect(try !isAtWork(escape))
    }

    @Test(arguments: Attacker.all)
    func orphansAreWaitedFor(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            def parent():
                for _ in range(30):
                    if os.fork() == 0: time.sleep(0.05); os._exit(0)
            child(parent)
            def states():
                found = []
                for name in os.listdir("/proc"):
                    if name.isdigit() and name not in ("1", str(os.getpid())):
                        try: found.append(open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[0])
                        except OSError: pass
                return found
            while states(): time.sleep(0.01)
            pid = os.fork()
            if pid == 0: os._exit(0)
            while states() != ["Z"]: time.sleep(0.01)
            print("only its own are left")
            """
        // What it does not wait for itself shows, so that its orphans do not is process 1's work.
        #expect(try await escape.inside(script) == "only its own are left")
    }

    @Test(.enabled(if: Fixture.hasCgroup, "no cgroup can be made here"), arguments: Attacker.all)
    func aCgroup(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let outcome = try await escape.run("print('ran')")
        let path = try #require(outcome.started.cgroupPath)
        #expect(access(path, F_OK) != 0)
    }

    @Test(arguments: Attacker.all)
    func sharedMemory(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let key = 0x6D6C_6400 + Int(getpid() % 250) * 2 + (attacker == .own ? 0 : 1)
        let script = """
            print(libc.shmget(\(key), 4096, 0o1666) >= 0,
                "\(key)" in [line.split()[0] for line in open("/proc/sysvipc/shm")])
            """
        let found = "print('\(key)' in [line.split()[0] for line in open('/proc/sysvipc/shm')])"
        #expect(try await escape.inside(script) == "True True")
        #expect(try escape.outside(found) == "False")
        // Outside it would have stayed.
        #expect(try escape.outside(script) == "True True")
        #expect(try escape.outside(found) == "True")
        #expect(try escape.outside("print(libc.shmctl(libc.shmget(\(key), 4096, 0o666), 0, None))") == "0")
    }

    @Test(arguments: Attacker.all)
    func temporaryFiles(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let name = "mld-left-\(getpid())-\(attacker.rawValue)"
        let script =
            "[open(d + '/\(name)', 'w').write('x') for d in ('/tmp', '/var/tmp', '/dev/shm')]\nprint('written')"
        let look = "print([os.path.exists(d + '/\(name)') for d in ('/tmp', '/var/tmp', '/dev/shm')])"
        #expect(try await escape.inside(script) == "written")
        #expect(try escape.outside(look) == "[False, False, False]")
        // Nor does one job find what another left.
        #expect(try await escape.inside(look) == "[False, False, False]")
        _ = try escape.outside(script)
        #expect(try escape.outside(look) == "[True, True, True]")
        _ = try escape.outside("[os.unlink(d + '/\(name)') for d in ('/tmp', '/var/tmp', '/dev/shm')]")
    }

    // MARK: - What is brought along

    @Test(arguments: Attacker.all)
    func inheritedDescriptors(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let leaked = open("/etc/passwd", O_RDONLY)
        defer { close(leaked) }
        #expect(leaked >= 0 && fcntl(leaked, F_GETFD) & FD_CLOEXEC == 0, "a program started carelessly would have it")
        // One is open only while the list is made.
        let script =
            "print(sorted(int(n) for n in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + n)))"
        #expect(try await escape.inside(script) == "[0, 1, 2, 3]")
    }

    @Test(arguments: Attacker.all)
    func theDaemonsEnvironment(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let set: Set = [
            "PATH", "HOME", "PWD", "USER", "LOGNAME", "SHELL", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
            "MLD_EVENTS_FD",
        ]
        let ours = escape.fixture.text("/proc/self/environ").split(separator: "\0").compactMap {
            $0.split(separator: "=").first
        }
        // Whoever started these tests gave them something of their own.
        let name = try #require(ours.map(String.init).first { !set.contains($0) })
        let script = "print('\(name)' in os.environ, b'\(name)=' in open('/proc/self/environ', 'rb').read())"
        #expect(try await escape.inside(script) == "False False")
        #expect(try await escape.inside("print(len(os.environ))") == "\(set.count)")
        var launch = escape.fixture.launch([Escape.python, "-I", "-c", "import os\n" + script])
        launch.environment = [name: "given"]
        #expect(try await escape.fixture.run(launch).stdout == "True True\n")
    }

    @Test(arguments: Attacker.all)
    func theDaemonsTerminal(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            print(attempt(lambda: os.open("/dev/tty", os.O_RDWR)), os.isatty(0), os.read(0, 1))
            """
        #expect(try await escape.inside(script) == "ENXIO False b''")
    }
}
