import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Attempts to talk to somebody without having been granted the network.
@Suite(.timeLimit(.minutes(5)), .enabled(if: Escape.isPossible, Escape.needs))
struct NetworkEscapeTests {
    @Test(arguments: Attacker.all)
    func aConnection(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let listener = try Listener(loopback: SOCK_STREAM)
        let script = "s = socket.socket()\nprint(attempt(lambda: s.connect(('127.0.0.1', \(listener.port)))))"
        #expect(try await escape.inside(script) == "ECONNREFUSED")
        #expect(try await escape.inside(script) { $0.network = true } == "ok")
    }

    @Test(arguments: Attacker.all)
    func aDatagram(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let listener = try Listener(loopback: SOCK_DGRAM)
        func send(_ text: String) -> String {
            """
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            print(attempt(lambda: s.sendto(b"\(text)", ("127.0.0.1", \(listener.port)))))
            """
        }
        // On its loopback the job may send; it is another one.
        #expect(try await escape.inside(send("secret")) == "ok")
        #expect(try await escape.inside(send("granted")) { $0.network = true } == "ok")
        #expect(listener.messages() == ["granted"])
    }

    @Test(arguments: Attacker.all)
    func anotherInterface(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print([name for _, name in socket.if_nameindex()])"
        #expect(try await escape.inside(script) == "['lo']")
        #expect(try await escape.inside(script) { $0.network = true } == (try escape.outside(script)))
    }

    @Test(arguments: Attacker.all)
    func itsOwnLoopbackWorks(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        // Processes of one job meet at 127.0.0.1; a wall that took that away would be one too many.
        let script = """
            s = socket.create_server(("127.0.0.1", 0))
            print(attempt(lambda: socket.create_connection(s.getsockname())))
            """
        #expect(try await escape.inside(script) == "ok")
    }

    @Test(arguments: Attacker.all)
    func anAbstractSocket(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let name = "mld-test-\(getpid())-\(attacker.rawValue)-a"
        let listener = try Listener(abstract: name)
        let script = "s = socket.socket(socket.AF_UNIX)\nprint(attempt(lambda: s.connect('\\0\(name)')))"
        let said = try await escape.inside(script)
        #expect(said == "ECONNREFUSED" || said == "EPERM")
        #expect(try escape.outside(script) == "ok")
        withExtendedLifetime(listener) {}
    }

    /// The host's network brings the host's abstract sockets (a desktop's bus) with it, unless Landlock holds them.
    @Test(
        .enabled(if: (Fixture.capabilities.landlock ?? 0) >= 6, "needs version 6 of Landlock"), arguments: Attacker.all)
    func anAbstractSocketWithTheNetworkGranted(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let name = "mld-test-\(getpid())-\(attacker.rawValue)-b"
        let listener = try Listener(abstract: name)
        let script = "s = socket.socket(socket.AF_UNIX)\nprint(attempt(lambda: s.connect('\\0\(name)')))"
        #expect(try await escape.inside(script) { $0.network = true } == "EPERM")
        #expect(
            try await escape.inside(script) {
                $0.network = true
                $0.landlock = false
            } == "ok")
        withExtendedLifetime(listener) {}
    }

    @Test(arguments: Attacker.all)
    func packetsOfItsOwnMaking(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = """
            print([attempt(lambda: socket.socket(*k)) for k in
                ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW, 1))])
            """
        #expect(try await escape.inside(script) { $0.network = true } == "['EPERM', 'EPERM']")
        if Fixture.isRoot { #expect(try Escape(.own).outside(script) == "['ok', 'ok']") }
    }

    /// The way to the hypervisor, which no network namespace holds.
    @Test(arguments: Attacker.all)
    func theHypervisor(attacker: Attacker) async throws {
        let escape = try Escape(attacker)
        let script = "print(attempt(lambda: socket.socket(40, socket.SOCK_STREAM)))"
        #expect(try await escape.inside(script) { $0.network = true } == "EPERM")
        // EAFNOSUPPORT where the kernel has none.
        #expect(try escape.outside(script) != "EPERM")
    }

    /// Landlock where no namespace can be had: version 4 knows TCP.
    @Test(.enabled(if: (Fixture.capabilities.landlock ?? 0) >= 4, "needs version 4 of Landlock"))
    func aConnectionPastAMissingNamespace() async throws {
        let listener = try Listener(loopback: SOCK_STREAM)
        let bare = try SandboxLauncher(execPath: Fixture.execPath, bubblewrapPath: "/no/such/bwrap", cgroups: nil)
        let escape = try Escape(.own, launcher: bare)
        let script = "s = socket.socket()\nprint(attempt(lambda: s.connect(('127.0.0.1', \(listener.port)))))"
        #expect(try await escape.inside(script) == "EACCES")
        #expect(try await escape.inside(script) { $0.network = true } == "ok")
    }
}
