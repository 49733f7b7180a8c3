import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts on other processes.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct ProcessEscapeTests {
    /// A process outside that an attacker's signals would reach, were there no wall: it is the attacker's own.
    private final class Victim: Sendable {
        let process: ProcessSpawner.Spawned

        init(of attacker: Attacker) throws {
            let null = try Descriptor.open("/dev/null", O_RDWR)
            let words =
                (attacker == .other ? ["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", "--"] : [])
                + ["/bin/sleep", "100000"]
            process = try ProcessSpawner.start(
                words[0], arguments: Array(words.dropFirst()), environment: [:],
                descriptors: [null.raw, null.raw, null.raw])
            // setpriv has become the program when that is what it is called.
            while !(try Descriptor.open("/proc/\(process.pid)/comm", O_RDONLY).read(limit: 64)).starts(
                with: "sleep".utf8)
            { usleep(1000) }
        }

        var isAlive: Bool { waitpid(process.pid, nil, WNOHANG) == 0 }

        deinit {
            kill(process.pid, SIGKILL)
            waitpid(process.pid, nil, 0)
        }
    }

    @Test(arguments: Attacker.all)
    func othersInProc(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let victim = try Victim(of: attacker)
        let script = """
            print(os.path.exists("/proc/\(victim.process.pid)/cmdline") and
                b"sleep" in open("/proc/\(victim.process.pid)/cmdline", "rb").read())
            """
        #expect(try await escape.inside(script) == "False")
        #expect(try escape.outside(script) == "True")
        // Itself and process 1, no more.
        #expect(try await escape.inside("print([n for n in os.listdir('/proc') if n.isdigit()])") == "['1', '2']")
    }

    @Test(arguments: Attacker.all)
    func aSignalToAnother(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let victim = try Victim(of: attacker)
        let script = "print(attempt(lambda: os.kill(\(victim.process.pid), signal.SIGKILL)))"
        // Its number stands for nobody inside.
        #expect(try await escape.inside(script) == "ESRCH")
        #expect(victim.isAlive)
        #expect(try escape.outside(script) == "ok")
        try await escape.fixture.until { !victim.isAlive }
    }

    @Test(arguments: Attacker.all)
    func aSignalToEverybody(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let victim = try Victim(of: attacker)
        // That it does reach what is the job's own shows that the attempt is one.
        let script = """
            pid = os.fork()
            if pid == 0:
                time.sleep(100000)
            os.kill(-1, signal.SIGKILL)
            print(os.waitpid(pid, 0)[1])
            """
        #expect(try await escape.inside(script) == "9")
        #expect(victim.isAlive)
    }

    /// The supervisor is the kernel's parent of the sandbox, and no process inside.
    @Test(arguments: Attacker.all)
    func aSignalToItsSupervisor(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            print(os.getppid(), attempt(lambda: os.kill(1, signal.SIGKILL)), attempt(lambda: os.kill(1, signal.SIGSTOP)))
            sys.stdout.flush()
            sys.exit(4)
            """
        let outcome = try await escape.run(script)
        // Process 1 takes no signal from inside; whether the kernel calls that an error depends on Landlock.
        #expect(outcome.stdout.hasPrefix("1 "))
        #expect(outcome.record.cause == .exited)
        #expect(outcome.record.exitStatus == 4)
    }

    @Test(arguments: Attacker.all)
    func tracing(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            pid = os.fork()
            if pid == 0:
                time.sleep(100000)
            print(call("ptrace", 16, pid, 0, 0))
            os.kill(pid, signal.SIGKILL)
            """
        #expect(try await escape.inside(script) == "EPERM")
        #expect(try escape.outside(script) == "0")
    }

    @Test(arguments: Attacker.all)
    func anothersMemory(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            text = ctypes.create_string_buffer(b"memory of a child")
            copy = ctypes.create_string_buffer(32)
            pid = os.fork()
            if pid == 0:
                time.sleep(100000)
            local = struct.pack("QQ", ctypes.addressof(copy), 17)
            remote = struct.pack("QQ", ctypes.addressof(text), 17)
            print(call("process_vm_readv", pid, local, 1, remote, 1, 0))
            os.kill(pid, signal.SIGKILL)
            """
        #expect(try await escape.inside(script) == "EPERM")
        #expect(try escape.outside(script) == "17")
        #expect(try await escape.inside(script) { $0.allowedCalls = ["process_vm_readv"] } == "17")
    }

    /// The memory of process 1, which is mld's, past the system calls.
    @Test(arguments: Attacker.all)
    func theMemoryOfProcessOne(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            print([attempt(lambda: open(f"/proc/{p}/{f}", "rb").read(1)) for p in (1, "self") for f in ("maps", "environ")],
                attempt(lambda: open("/proc/1/mem", "rb")))
            """
        #expect(try await escape.inside(script) == "['EACCES', 'EACCES', 'ok', 'ok'] EACCES")
    }

    @Test(arguments: Attacker.all)
    func aDescriptorOfAnother(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            process = call("pidfd_open", os.getpid(), 0)
            copy = call("pidfd_getfd", process, 1, 0)
            print(copy if isinstance(copy, str) else "copied")
            """
        #expect(try await escape.inside(script) == "EPERM")
        #expect(try escape.outside(script) == "copied")
        // Root may list the numbers of process 1's, but not follow them.
        let processOne = "print([attempt(lambda: os.open(f'/proc/{p}/fd/1', os.O_WRONLY)) for p in (1, 'self')])"
        #expect(try await escape.inside(processOne) == "['EACCES', 'ok']")
    }

    /// Landlock holds signals inside where there is no namespace: version 6.
    @Test(.enabled(if: (Fixture.capabilities.landlock ?? 0) >= 6, "needs version 6 of Landlock"))
    func aSignalPastAMissingNamespace() async throws {
        let victim = try Victim(of: .own)
        let bare = try SandboxLauncher(execPath: Fixture.execPath, bubblewrapPath: "/no/such/bwrap", cgroups: nil)
        let escape = try Escape(.own, launcher: bare)
        let script = "print(attempt(lambda: os.kill(\(victim.process.pid), signal.SIGKILL)))"
        #expect(try await escape.inside(script) == "EPERM")
        #expect(victim.isAlive)
        #expect(try await escape.inside(script) { $0.landlock = false } == "ok")
        try await escape.fixture.until { !victim.isAlive }
    }
}
