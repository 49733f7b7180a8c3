import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts on the kernel and on the machine. Calls are made so that they change nothing where they should succeed: with wrong
/// addresses, sizes or magic numbers, which the kernel looks at after its question for rights.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct KernelEscapeTests {
    /// Inside the call must be refused; outside as root it must get further than the question for rights. Who is not root is
    /// refused outside too, so there only the first is asked.
    private func refused(
        _ attacker: Attacker, _ script: String, inside expected: String = "EPERM", sourceLocation: SourceLocation
    ) async throws {
        let escape = try Escape(attacker)
        #expect(try await escape.inside(script) == expected, sourceLocation: sourceLocation)
        guard Fixture.isRoot else { return }
        let further = try Escape(.own).outside(script)
        #expect(further != expected && !further.isEmpty, "outside: \(further)", sourceLocation: sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func mountingATemporaryFileSystem(attacker: Attacker) async throws {
        let script = """
            def mount():
                os.chdir(WORK)
                call("unshare", 0x20000)
                call("mount", b"none", b"/", 0, 0x44000, 0)
                print(call("mount", b"x", b".", b"tmpfs", 0, 0))
            child(mount)
            """
        try await refused(attacker, script, sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func unmountingWhatHides(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('umount2', WORK.encode(), 2))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func aCopyOfTheFileTree(attacker: Attacker) async throws {
        try await refused(
            attacker, "print(call('open_tree', -100, b'/', 1))", sourceLocation: #_sourceLocation)
    }

    /// Younger than many a libseccomp.
    @Test(arguments: Attacker.all)
    func aCopyOfTheFileTreeByTheNewestCall(attacker: Attacker) async throws {
        try await refused(
            attacker, "print(call('open_tree_attr', -100, b'/', 1, 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func aFileSystemOfItsOwn(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('fsopen', b'tmpfs', 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func anotherRoot(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('pivot_root', b'.', b'.'))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func aRootWithinTheRoot(attacker: Attacker) async throws {
        try await refused(
            attacker, "child(lambda: print(attempt(lambda: os.chroot(WORK))))", sourceLocation: #_sourceLocation)
    }

    /// A file by its number, past all directories.
    @Test(arguments: Attacker.all)
    func aFileByItsHandle(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('open_by_handle_at', -1, 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func aDeviceOfItsOwn(attacker: Attacker) async throws {
        // 1:3 is /dev/null: harmless where it can be made.
        try await refused(
            attacker, "print(attempt(lambda: os.mknod(WORK + '/node', 0o20666, os.makedev(1, 3))))",
            // By Landlock, or else for want of the capability.
            inside: Fixture.capabilities.landlock == nil ? "EPERM" : "EACCES", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func anotherKernel(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('kexec_load', 0, 0, 0, -1))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func aModule(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('init_module', 0, 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func aProgramInTheKernel(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('bpf', 9999, 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func theKernelsLog(attacker: Attacker) async throws {
        // 10: the size of the log.
        try await refused(attacker, "print(call('syslog', 10, 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func restartingTheMachine(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('reboot', 0, 0, 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func settingTheClock(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('settimeofday', 0, 0))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func namingTheMachine(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('sethostname', 0, -1))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func takingAwaySwap(attacker: Attacker) async throws {
        try await refused(attacker, "print(call('swapoff', b'/no/such/file'))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func hardwarePerformanceCounters(attacker: Attacker) async throws {
        // A software event of this process alone, which the kernel grants to all by default.
        let script = """
            event = struct.pack("IIQQQQQ", 1, 64, 0, 0, 0, 0, 0x61) + bytes(16)
            print(call("perf_event_open", event, 0, -1, -1, 0))
            """
        try await refused(attacker, script, sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func powerMeters(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print([attempt(lambda: os.listdir(p)) for p in ('/sys/class', '/sys/devices/system', '/sys/fs')])"
        // Of /sys there is what tells the number of processors, and nothing else.
        #expect(try await escape.inside(script) == "['ENOENT', 'ok', 'ENOENT']")
        #expect(try escape.outside(script) == "['ok', 'ok', 'ok']")
        #expect(try await escape.inside("print(sorted(os.listdir('/sys/devices/system')))") == "['cpu', 'node']")
    }

    @Test(arguments: Attacker.all)
    func theProcessorsRegistersAndTheMachinesMemory(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(sorted(os.listdir('/dev')))"
        let names = try await escape.inside(script)
        #expect(!names.isEmpty)
        for name in ["cpu", "mem", "kmsg", "port", "kvm", "sda", "loop0", "nvme0"] {
            #expect(!names.contains("'\(name)'"), "\(names)")
        }
        // The machine has a log in /dev/kmsg wherever it has a kernel; a container may hide it.
        if access("/dev/kmsg", F_OK) == 0 { #expect(try escape.outside(script).contains("'kmsg'")) }
    }

    @Test(arguments: ["/dev/kmsg", "/dev/mem", "/dev/port", "/dev/kvm", "/dev/loop0", "/dev/tty0", "/dev/console"])
    func askingForADeviceNoJobIsGiven(path: String) async throws {
        guard access(path, F_OK) == 0 else { return }  // Not every machine has all of them.
        let escape = try Escape()
        // Under a name no list knows, as an admin's link could be.
        let link = "/dev/shm/mld-test-\(getpid())-\(path.split(separator: "/").joined())"
        symlink(path, link)
        defer { unlink(link) }
        for name in [path, link] {
            let error = await #expect(throws: SandboxError.self) {
                try await escape.run("print()") { $0.devices = [name] }
            }
            #expect(error?.code == .badProfile)
        }
        #expect(try await escape.inside("print('ran')") { $0.devices = ["/dev/null"] } == "ran")
    }

    @Test(arguments: Attacker.all)
    func aDeviceIsThereOnlyWhenGiven(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let nodes: [String] = ["/dev/hwrng", "/dev/cpu_dma_latency", "/dev/ppp"]
        // A machine with none of these has nothing to show.
        guard let node = nodes.first(where: { access($0, F_OK) == 0 }) else { return }
        let script = "print(attempt(lambda: os.stat('\(node)')))"
        #expect(try await escape.inside(script) == "ENOENT")
        let given = try await escape.run(script) { $0.devices = [node] }
        #expect(given.stdout == "ok\n")
        #expect(given.started.enforced.contains { $0.hasPrefix("no devices but ") && $0.hasSuffix(": \(node)") })
    }

    @Test(arguments: Attacker.all)
    func theKernelsSettings(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            print([attempt(lambda: os.open(p, os.O_WRONLY)) for p in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory")])
            """
        let said = try await escape.inside(script)
        #expect(!said.contains("ok") && said.contains("E"), "\(said)")
        #expect(try escape.outside(script) == (attacker.isRoot ? "['ok', 'ok']" : "['EACCES', 'EACCES']"))
    }

    @Test(arguments: Attacker.all)
    func keysOfTheUser(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let asks = "serial = call('keyctl', 0, -3, 0)\nprint(serial if isinstance(serial, str) else 'found')"
        #expect(try await escape.inside(asks) == "EPERM")
        #expect(try await escape.inside(asks) { $0.allowedCalls = ["keyctl"] } == "found")
        let adds =
            "serial = call('add_key', b'user', b'mld', b'x', 1, -1)\nprint(serial if isinstance(serial, str) else 'added')"
        #expect(try await escape.inside(adds) == "EPERM")
        #expect(try await escape.inside(adds) { $0.allowedCalls = ["add_key"] } == "added")
    }

    @Test(arguments: Attacker.all)
    func ringsOfRequestsToTheKernel(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(call('io_uring_setup', 1, 0))"
        #expect(try await escape.inside(script) == "EPERM")
        let outside = try escape.outside(script)
        #expect(try await escape.inside(script) { $0.allowedCalls = ["io_uring_setup"] } == outside)
        // Where the system itself is closed to it nothing could be told apart.
        if access("/proc/sys/kernel/io_uring_disabled", F_OK) != 0 { #expect(outside != "EPERM") }
    }

    @Test(arguments: Attacker.all)
    func faultsOfPagesInUserSpace(attacker: Attacker) async throws {
        // A flag there is not, which is looked at after the rights.
        try await refused(attacker, "print(call('userfaultfd', 0x40000000))", sourceLocation: #_sourceLocation)
    }

    @Test(arguments: Attacker.all)
    func addressesThatCanBeGuessed(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(call('personality', 0x40000))"
        #expect(try await escape.inside(script) == "EPERM")
        #expect(try escape.outside(script) == "0")
        #expect(try await escape.inside(script) { $0.allowedCalls = ["personality"] } == "0")
    }

    /// Typing into a terminal from behind its user's back.
    @Test(arguments: Attacker.all)
    func typingIntoATerminal(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            import fcntl, termios
            def type_():
                os.setsid()
                master, slave = os.openpty()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                print(attempt(lambda: fcntl.ioctl(slave, termios.TIOCSTI, b"x")))
            child(type_)
            """
        #expect(try await escape.inside(script) == "EPERM")
        // EIO where the kernel refuses it to all.
        #expect(["ok", "EIO"].contains(try escape.outside(script)))
    }

    /// Calls the filter's numbers do not stand for.
    #if arch(x86_64)
        @Test(arguments: Attacker.all)
        func callsOfAnotherArchitecture(attacker: Attacker) async throws {
            let escape = try Escape(attacker)
            let script = "libc.syscall(ctypes.c_long(0x40000000 + 39))\nprint('alive')"
            let outcome = try await escape.run(script)
            #expect(outcome.record.signal == SIGSYS)
            #expect(try escape.outside(script) == "alive")
        }

        @Test(arguments: Attacker.all)
        func portsOfTheMachine(attacker: Attacker) async throws {
            // Level 4 does not exist.
            try await refused(attacker, "print(call('iopl', 4))", sourceLocation: #_sourceLocation)
        }
    #endif
}
