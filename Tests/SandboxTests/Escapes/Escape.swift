import Glibc
import LinuxSystem
import Sandbox
import Testing

/// Whom an attempt is made as.
enum Attacker: String, Sendable, CaseIterable {
    /// The user of the tests, which may be root.
    case own
    /// `nobody`, for a daemon of root.
    case other

    static var all: [Attacker] { Fixture.isRoot ? allCases : [.own] }
    /// Those who are not root. Some attempts fail for root alone, some only for others.
    static var plain: [Attacker] { Fixture.isRoot ? [.other] : [.own] }

    var isRoot: Bool { self == .own && Fixture.isRoot }
}

/// A machine to break out of: one attempt, made in a job through the whole chain, and made outside, where it must succeed for
/// the test to say anything.
struct Escape {
    static let python = "/usr/bin/python3"
    static var isPossible: Bool {
        Fixture.isolates && access(python, X_OK) == 0 && access("/usr/bin/setpriv", X_OK) == 0
    }
    static let needs: Comment = "needs bubblewrap, python3 and setpriv"
    static let nobody = Launch.User(uid: 65534, gid: 65534)

    let fixture: Fixture
    let attacker: Attacker

    var work: String { fixture.workdir }
    var root: String { fixture.root }

    init(_ attacker: Attacker = .own, launcher: SandboxLauncher? = nil) throws {
        fixture = try Fixture(launcher: launcher)
        self.attacker = attacker
        if attacker == .other {
            for path in [fixture.workdir, fixture.job] { chown(path, 65534, 65534) }
        }
    }

    /// Runs Python in a job.
    func run(
        _ script: String, logLimit: Int64? = nil, _ adjust: (inout SandboxProfile) -> Void = { _ in }
    ) async throws -> Fixture.Outcome {
        var profile = fixture.profile()
        adjust(&profile)
        var launch = fixture.launch([Self.python, "-I", "-c", prelude + script])
        if attacker == .other { launch.runAs = Self.nobody }
        if let logLimit { launch.logLimitBytes = logLimit }
        return try await fixture.run(launch, profile: profile)
    }

    /// What is kept of the job's standard output.
    func logBytes() throws -> Int64 {
        try ["", ".1"].reduce(0) { sum, suffix in
            var information = stat()
            if stat(fixture.job + "/stdout" + suffix, &information) == 0 { return sum + Int64(information.st_size) }
            guard errno == ENOENT else { throw LinuxError("stat", path: fixture.job + "/stdout" + suffix) }
            return sum
        }
    }

    /// What Python says in a job; its errors where it says nothing.
    func inside(_ script: String, _ adjust: (inout SandboxProfile) -> Void = { _ in }) async throws -> String {
        let outcome = try await run(script, adjust)
        let said = outcome.stdout.isEmpty ? outcome.stderr + (outcome.record.message ?? "") : outcome.stdout
        return said.trimmed
    }

    /// What the same script says without any sandbox, as the same user.
    func outside(_ script: String) throws -> String {
        var words = [Self.python, "-I", "-c", prelude + script]
        if attacker == .other {
            words = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"] + words
        }
        let output = try ProcessSpawner.run(
            words[0], arguments: Array(words.dropFirst()), environment: ["PATH": "/usr/bin:/bin"])
        return output.text.trimmed
    }

    /// Names and numbers for the scripts: `attempt` says how something went, `call` makes a system call by name.
    var prelude: String {
        """
        import ctypes, errno, os, resource, signal, socket, struct, sys, time
        WORK, ROOT = "\(work)", "\(root)"
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall.restype = ctypes.c_long
        NUMBERS = {
            "x86_64": dict(getpid=39, clone=56, kexec_load=246, init_module=175, delete_module=176, reboot=169, ptrace=101,
                mount=165, umount2=166, pivot_root=155, unshare=272, setns=308, keyctl=250, add_key=248,
                perf_event_open=298, process_vm_readv=310, userfaultfd=323, bpf=321, open_by_handle_at=304, syslog=103,
                settimeofday=164, sethostname=170, swapoff=168, personality=135, acct=163, iopl=172),
            "aarch64": dict(getpid=172, clone=220, kexec_load=104, init_module=105, delete_module=106, reboot=142,
                ptrace=117, mount=40, umount2=39, pivot_root=41, unshare=97, setns=268, keyctl=219, add_key=217,
                perf_event_open=241, process_vm_readv=270, userfaultfd=282, bpf=280, open_by_handle_at=265, syslog=116,
                settimeofday=170, sethostname=161, swapoff=225, personality=92, acct=89),
        }[os.uname().machine]
        NUMBERS.update(pidfd_open=434, clone3=435, pidfd_getfd=438, io_uring_setup=425, open_tree=428, move_mount=429,
            fsopen=430, mount_setattr=442, open_tree_attr=467)
        def call(name, *arguments):
            ctypes.set_errno(0)
            words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
            result = libc.syscall(ctypes.c_long(NUMBERS[name]), *words)
            return result if result != -1 else errno.errorcode[ctypes.get_errno()]
        def attempt(what):
            try:
                what()
                return "ok"
            except OSError as error:
                return errno.errorcode.get(error.errno, str(error))
        def child(what):
            pid = os.fork()
            if pid == 0:
                sys.stdout.flush()
                code = 1
                try:
                    what()
                    sys.stdout.flush()
                    code = 0
                finally:
                    os._exit(code)
            return os.waitpid(pid, 0)[1]

        """
    }
}

extension String {
    var trimmed: String {
        var text = Substring(self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
