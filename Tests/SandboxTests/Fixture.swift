import Glibc
import LinuxSystem
import Sandbox
import Synchronization

/// A scratch directory with a job's working directory, its files, and a launcher; removed with the fixture.
///
/// Everything runs the real chain of processes. It works as root and as an ordinary user; what a machine lacks is said in
/// the conditions of the tests.
final class Fixture: Sendable {
    static let execPath: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let beside = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]) + "/mld-exec"
        return beside
    }()

    /// One for all tests: finding out what the machine can do takes a few processes.
    static let shared: Result<SandboxLauncher, SandboxError> = Result { () throws(SandboxError) in
        try SandboxLauncher(execPath: execPath)
    }

    static var capabilities: SandboxCapabilities { (try? shared.get())?.capabilities ?? SandboxCapabilities() }
    static var isolates: Bool { capabilities.isolates }
    static var hasCgroup: Bool { capabilities.jobsCgroup != nil }
    static var isRoot: Bool { geteuid() == 0 }

    private static let counter = Mutex(0)

    let root: String
    let launcher: SandboxLauncher
    var workdir: String { root + "/work" }
    var state: String { root + "/state" }
    var job: String { root + "/state/job" }

    init(launcher: SandboxLauncher? = nil) throws {
        self.launcher = try launcher ?? Self.shared.get()
        var template = Array("/tmp/mld-sandbox-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LinuxError("mkdtemp") }
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        // Another user's job must be able to reach its working directory.
        chmod(root, 0o755)
        for path in [workdir, state, job] where mkdir(path, 0o755) != 0 { throw LinuxError("mkdir", path: path) }
    }

    deinit {
        _ = try? ProcessSpawner.run("/bin/rm", arguments: ["-rf", root])
    }

    static func uniqueName() -> String {
        "test-\(getpid())-"
            + String(
                counter.withLock {
                    $0 += 1; return $0
                })
    }

    func launch(_ argv: [String], environment: [String: String] = [:]) -> Launch {
        Launch(
            jobDirectory: job, argv: argv, environment: environment, graceSeconds: 5, cgroupName: Self.uniqueName())
    }

    func profile() -> SandboxProfile { SandboxProfile(workdir: workdir, hidden: [state]) }

    struct Outcome {
        var record: ExitRecord
        var stdout: String
        var stderr: String
        var started: Started
    }

    /// Runs a shell script as a job to its end.
    func run(
        _ script: String, profile: SandboxProfile? = nil, environment: [String: String] = [:],
        adjust: (inout Launch) -> Void = { _ in }
    ) async throws -> Outcome {
        var launch = launch(["/bin/sh", "-c", script], environment: environment)
        adjust(&launch)
        return try await run(launch, profile: profile)
    }

    func run(_ launch: Launch, profile: SandboxProfile? = nil) async throws -> Outcome {
        // The files are appended to; each run of a test is looked at alone.
        for path in [launch.stdoutPath, launch.stderrPath] { unlink(path) }
        let started = try launcher.start(launch, profile: profile ?? self.profile())
        return try await outcome(of: started)
    }

    /// Waits for the end, reads the record and the output, and cleans up.
    func outcome(of started: Started) async throws -> Outcome {
        try await launcher.waitForExit(started)
        try await launcher.cleanUp(started)
        guard let record = ExitRecord.read(job + "/exit.json") else {
            throw SandboxError(.system, stage: "test", "no exit record; errors: \(text(job + "/stderr"))")
        }
        return Outcome(
            record: record, stdout: text(job + "/stdout"), stderr: text(job + "/stderr"), started: started)
    }

    func text(_ path: String) -> String {
        guard let file = try? Descriptor.open(path, O_RDONLY), let bytes = try? file.read(limit: 1 << 20) else {
            return ""
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws {
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode).write(Array(text.utf8))
    }

    /// Polls until the condition holds; the suites' own limit ends a wait that never does.
    func until(_ condition: () throws -> Bool) async throws {
        while try !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Does `body` while the job's supervisor is stopped, and returns when the supervisor has taken what it was told meanwhile
    /// and waits for more.
    func deafly(_ started: Started, _ body: () throws -> Void) async throws {
        let pid = started.supervisorPID
        Glibc.kill(pid, SIGSTOP)
        try await until { ProcessTable().status(of: pid)?.state == "T" }
        try body()
        Glibc.kill(pid, SIGCONT)
        try await until {
            let lines = text("/proc/\(pid)/status").split(separator: "\n")
            func value(_ name: String) -> Substring? {
                lines.first { $0.hasPrefix(name + ":") }?.split(whereSeparator: \.isWhitespace).dropFirst().first
            }
            let pending = ["SigPnd", "ShdPnd"].map { value($0).flatMap { UInt64($0, radix: 16) } }
            return value("State") == "S" && pending == [0, 0]
        }
    }

    /// Waits until the job has written `line` to its output: it has come that far.
    func untilPrinted(_ line: String) async throws {
        try await until { text(job + "/stdout").split(separator: "\n").contains(line[...]) }
    }
}
