import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts to use the machine up. Each bounds itself first: were the wall missing, it would stop by itself.
///
/// One after the other: what the one has running counts among the processes of the other's user.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct ResourceEscapeTests {
    /// Children that do nothing but wait, until one is refused, 100 at most.
    private let bomb = """
        made = 0
        try:
            for _ in range(100):
                if os.fork() == 0:
                    signal.pause()
                made += 1
            print("all")
        except BlockingIOError:
            print("refused after", made)
        sys.stdout.flush()
        os.kill(-1, signal.SIGKILL)
        """

    /// Where there is no pids controller RLIMIT_NPROC stands in. It does not count root, whose jobs then have no such limit;
    /// that their record says so is asked below.
    @Test(arguments: Attacker.plain)
    func aForkBomb(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        // After how many depends, where RLIMIT_NPROC stands in, on what else the user has running.
        #expect(try await escape.inside(bomb) { $0.maxProcesses = 20 }.hasPrefix("refused after"))
        #expect(try await escape.inside(bomb) { $0.maxProcesses = 2000 } == "all")
    }

    @Test(
        .enabled(if: Fixture.isRoot && Fixture.hasCgroup, "asks what root's jobs are told"))
    func aForkBombOfRootIsSaidOrHeld() async throws {
        let escape = try Escape(.own)
        let outcome = try await escape.run("print('quiet')") { $0.maxProcesses = 20 }
        let isHeld = outcome.started.enforced.contains { $0.hasPrefix("at most 20 processes") }
        let isSaid = outcome.started.notEnforced.contains { $0.hasPrefix("at most 20 processes: ") }
        #expect(isHeld != isSaid)
        if isHeld { #expect(try await escape.inside(bomb) { $0.maxProcesses = 20 }.hasPrefix("refused after")) }
    }

    @Test(arguments: Attacker.plain)
    func aBombOfThreads(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            import threading
            hold, made = threading.Event(), 0
            threading.stack_size(65536)
            try:
                for _ in range(100):
                    threading.Thread(target=hold.wait, daemon=True).start()
                    made += 1
                print("all")
            except RuntimeError:
                print("refused")
            sys.stdout.flush()
            os._exit(0)
            """
        #expect(try await escape.inside(script) { $0.maxProcesses = 20 } == "refused")
        #expect(try await escape.inside(script) { $0.maxProcesses = 2000 } == "all")
    }

    /// The ended children nobody waits for count as well as the living.
    @Test(arguments: Attacker.plain)
    func aSwarmOfZombies(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            made = 0
            try:
                for _ in range(100):
                    if os.fork() == 0: os._exit(0)
                    made += 1
                print("all")
            except BlockingIOError:
                print("refused")
            """
        #expect(try await escape.inside(script) { $0.maxProcesses = 20 } == "refused")
        #expect(try await escape.inside(script) { $0.maxProcesses = 2000 } == "all")
    }

    @Test(arguments: Attacker.all)
    func aMemoryBomb(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            try: print(len(bytearray(300 << 20)) >> 20)
            except MemoryError: print("refused")
            """
        let outcome = try await escape.run(script) { $0.memoryLimit = 128 << 20 }
        // With a memory controller the kernel ends it, without one the allocation fails.
        #expect(outcome.stdout == "refused\n" || outcome.record.signal == SIGKILL)
        #expect(try await escape.inside(script) { $0.memoryLimit = 1 << 30 } == "300")
    }

    @Test(arguments: ["/tmp", "/var/tmp", "/dev/shm"], Attacker.all)
    func fillingAPrivateDirectory(directory: String, attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            def fill():
                with open("\(directory)/fill", "wb", buffering=0) as file:
                    for _ in range(100):
                        if file.write(bytes(1 << 20)) < 1 << 20: raise OSError(errno.ENOSPC, "short")
            print(attempt(fill))
            """
        let outcome = try await escape.run(script) { $0.memoryLimit = 64 << 20 }
        #expect(outcome.stdout == "ENOSPC\n" || outcome.record.signal == SIGKILL)
        #expect(try await escape.inside(script) { $0.memoryLimit = 512 << 20 } == "ok")
    }

    @Test(arguments: Attacker.all)
    func fillingTheDisk(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            def fill():
                with open("fill", "wb", buffering=0) as file:
                    for _ in range(8):
                        if file.write(bytes(1 << 20)) < 1 << 20: raise OSError(errno.EFBIG, "short")
            print(attempt(fill), os.stat("fill").st_size >> 20)
            """
        #expect(try await escape.inside(script) { $0.maxFileSize = 4 << 20 } == "EFBIG 4")
        #expect(try await escape.inside(script) { $0.maxFileSize = nil } == "ok 8")
    }

    @Test(arguments: Attacker.all)
    func fillingTheLog(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "for _ in range(4 << 10): os.write(1, b'x' * 1023 + b'\\n')"
        let outcome = try await escape.run(script, logLimit: 1 << 20)
        // It is not stopped, but no more than the limit is kept of what it writes, in the log and the one before it.
        #expect(outcome.record.exitStatus == 0)
        #expect(try escape.logBytes() <= 1 << 20)
        let unlimited = try Escape(attacker)
        #expect(try await unlimited.run(script).record.exitStatus == 0)
        #expect(try unlimited.logBytes() == 4 << 20)
    }

    @Test(arguments: Attacker.all)
    func aFloodOfDescriptors(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "kept = []\nprint(attempt(lambda: [kept.append(os.open('/dev/null', 0)) for _ in range(200)]))"
        let outcome = try await escape.run(script) { $0.maxOpenFiles = 64 }
        #expect(outcome.stdout == "EMFILE\n")
        #expect(outcome.started.enforced.contains("at most 64 open files in each process"))
        #expect(try await escape.inside(script) { $0.maxOpenFiles = 256 } == "ok")
    }

    /// A dump holds all of a job's memory, and the program that collects dumps runs outside as root.
    @Test(arguments: Attacker.all)
    func aCoreDump(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            print(resource.getrlimit(resource.RLIMIT_CORE))
            sys.stdout.flush()
            os.abort()
            """
        let outcome = try await escape.run(script)
        #expect(outcome.stdout == "(1, 1)\n")
        #expect(outcome.record.signal == SIGABRT)
        #expect(outcome.started.enforced.contains("no core dumps"))
        let left = try await escape.inside("print([n for n in os.listdir('.') if 'core' in n])")
        #expect(left == "[]")
        let granted = try await escape.run("print(resource.getrlimit(resource.RLIMIT_CORE))") {
            $0.maxCoreSize = 4096
        }
        #expect(granted.stdout == "(4096, 4096)\n")
        #expect(granted.started.enforced.contains("core dumps up to 4096 bytes"))
    }

    @Test(arguments: Attacker.all)
    func refusedCallsOfThePolicy(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(attempt(lambda: os.chmod(WORK, 0o755)), attempt(lambda: socket.socket(socket.AF_UNIX)))"
        let outcome = try await escape.run(script) { $0.refusedCalls = ["chmod", "fchmodat", "socket"] }
        #expect(outcome.stdout == "EPERM EPERM\n")
        #expect(outcome.started.enforced.contains("refused besides by the policy: chmod, fchmodat, socket"))
        #expect(try await escape.inside(script) == "ok ok")
    }
}
