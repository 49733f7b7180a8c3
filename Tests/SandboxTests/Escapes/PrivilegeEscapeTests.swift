import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts to become somebody else, and to get into other namespaces.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct PrivilegeEscapeTests {
    /// A copy of `id` that belongs to root and says whom it runs as. Needs root to be made.
    @Test(.enabled(if: Fixture.isRoot, "only root can make a set-uid program of root"))
    func aSetUidProgram() async throws {
        let escape = try Escape(.other)
        _ = try ProcessSpawner.run("/bin/cp", arguments: ["/usr/bin/id", escape.work + "/id"])
        chown(escape.work + "/id", 0, 0)
        chmod(escape.work + "/id", 0o4755)
        let script = "os.execv(WORK + '/id', ['id', '-u'])"
        #expect(try await escape.inside(script) == "65534")
        #expect(try escape.outside(script) == "0")
    }

    @Test(arguments: Attacker.plain)
    func becomingRoot(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let said = try await escape.inside("print(attempt(lambda: os.setuid(0)), os.geteuid() == 0)")
        // EINVAL in a user namespace that has no such user.
        #expect(["EPERM False", "EINVAL False"].contains(said))
        let capabilities =
            "print([l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapPrm'))])"
        #expect(try await escape.inside(capabilities) == "['0000000000000000', '0000000000000000']")
    }

    /// A job of root is bound to be root: with another's number it would have the other's files.
    @Test(.enabled(if: Fixture.isRoot, "only root could"))
    func becomingAnotherUser() async throws {
        let escape = try Escape(.own)
        let script = "child(lambda: print(attempt(lambda: os.setuid(1000))))"
        #expect(try await escape.inside(script) == "EPERM")
        #expect(try escape.outside(script) == "ok")
    }

    @Test(arguments: Attacker.all)
    func allowingNewPrivilegesAgain(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(libc.prctl(39, 0, 0, 0, 0), libc.prctl(38, 0, 0, 0, 0), libc.prctl(39, 0, 0, 0, 0))"
        #expect(try await escape.inside(script) == "1 -1 1")
        #expect(try escape.outside(script).hasPrefix("0"))
    }

    /// Capabilities that bubblewrap or the last step forgot would show here.
    @Test(arguments: Attacker.all)
    func takingCapabilitiesBack(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            header = struct.pack("Ii", 0x20080522, 0)
            everything = struct.pack("IIIIII", *[0xFFFFFFFF, 0xFFFFFFFF, 0] * 2)
            got = libc.capset(header, everything)
            wide = [c for c in range(41) if libc.prctl(23, c, 0, 0, 0) == 1 and libc.prctl(47, 2, c, 0, 0) == 0]
            print(got, wide)
            """
        #expect(try await escape.inside(script) == "-1 []")
    }

    // MARK: - Namespaces

    @Test(arguments: Attacker.all)
    func aUserNamespace(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "child(lambda: print(call('unshare', 0x10000000)))"
        #expect(try await escape.inside(script) == "EPERM")
        // Where the system forbids it to all, an ordinary user has no other answer outside.
        if Fixture.isRoot { #expect(try Escape(.own).outside(script) == "0") }
    }

    @Test(arguments: Attacker.all)
    func aUserNamespaceByClone(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            result = call("clone", 0x10000000 | 17, 0, 0, 0, 0)
            if result == 0: os._exit(0)
            print(result if isinstance(result, str) else "made")
            """
        #expect(try await escape.inside(script) == "EPERM")
        if Fixture.isRoot { #expect(try Escape(.own).outside(script) == "made") }
    }

    /// Its flags lie in memory, where a filter cannot look; so it is not there at all.
    @Test(arguments: Attacker.all)
    func aUserNamespaceByClone3(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(call('clone3', 0, 0))"
        #expect(try await escape.inside(script) == "ENOSYS")
        #expect(try escape.outside(script) == "EINVAL")
    }

    @Test(arguments: Attacker.all)
    func theNamespacesOfAnotherProcess(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            def enter():
                own = os.open("/proc/self/ns/net", os.O_RDONLY)
                print(call("setns", own, 0))
            child(enter)
            """
        #expect(try await escape.inside(script) == "EPERM")
        if Fixture.isRoot { #expect(try Escape(.own).outside(script) == "0") }
    }

    /// Process 1 of the sandbox is mld's: nothing of it may be had.
    @Test(arguments: Attacker.all)
    func theNamespacesOfProcessOne(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print([attempt(lambda: os.open(f'/proc/{p}/ns/mnt', os.O_RDONLY)) for p in (1, os.getpid())])"
        #expect(try await escape.inside(script) == "['EACCES', 'ok']")
    }

    // MARK: - Changing the walls

    @Test(arguments: Attacker.all)
    func moreThanTheLimits(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            def more(): resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
            try: more(); print("raised")
            except (ValueError, OSError) as e: print("refused")
            print(resource.getrlimit(resource.RLIMIT_NOFILE))
            """
        #expect(try await escape.inside(script) { $0.maxOpenFiles = 100 } == "refused\n(100, 100)")
        #expect(try await escape.inside(script) { $0.maxOpenFiles = 300 } == "raised\n(200, 200)")
    }

    @Test(arguments: Attacker.all)
    func theControlGroups(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script =
            "print(attempt(lambda: os.listdir('/sys/fs/cgroup')), 'cgroup' in open('/proc/self/mounts').read())"
        #expect(try await escape.inside(script) == "ENOENT False")
        #expect(try escape.outside(script) == "ok True")
    }

    /// A job may lay rules on itself, but they only take away.
    @Test(.enabled(if: Fixture.capabilities.landlock != nil, "this kernel has no Landlock"))
    func landlockCannotBeWidened() throws {
        let escape = try Escape()
        try escape.fixture.write("theirs", to: escape.root + "/secret")
        let script = """
            import ctypes, os, struct
            call = ctypes.CDLL(None).syscall
            root = os.open("/", os.O_PATH)
            rules = call(444, struct.pack("Q", 4), ctypes.c_long(8), 0)
            print(call(445, rules, 1, struct.pack("<Qi", 4, root), 0), call(446, rules, 0))
            try: print(open("\(escape.root)/secret").read())
            except OSError as error: print(error.errno)
            """
        func run(_ options: [String]) throws -> String {
            try ProcessSpawner.run(
                Fixture.execPath, arguments: ["exec"] + options + ["--", Escape.python, "-I", "-c", script]
            ).text
        }
        let system = ResolvedTrees.system.flatMap { ["--grant-read", $0] }
        #expect(try run(["--landlock"] + system) == "0 0\n13\n")
        // Without ours, no_new_privs has still to be there for theirs; exec always sets it.
        #expect(try run([]) == "0 0\ntheirs\n")
    }
}
