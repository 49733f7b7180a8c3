import Glibc
import JobAPI
import LinuxSystem

/// Runs a program that is told something on its standard input, and bounds what it can do to us.
struct Hook: Sendable {
    var path: String
    var arguments: [String] = []
    var environment: [String: String] = [:]
    /// After these it is killed, with all that it started.
    var patience = Duration.seconds(30)

    /// - Throws: why it was not run, or how it failed.
    func run(input: [UInt8]) async throws(LinuxError) {
        let program = try Self.trusted(path)
        let pid: Int32
        do {
            // In memory, so that a program that does not read holds up nobody.
            let file = try Descriptor.memoryFile("notice", holding: input)
            let null = try Descriptor.open("/dev/null", O_WRONLY)
            pid = try ProcessSpawner.start(
                program, arguments: arguments,
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"].merging(environment) { $1 },
                directory: "/", descriptors: [file.raw, null.raw, null.raw]
            ).pid
        }
        let hasEnded = await Self.waitForEnd(pid, patience)
        // It leads a session of its own; while it is not reaped, its number is nobody else's.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw LinuxError("wait for", path: program) }
        }
        guard hasEnded else {
            let reason = Task.isCancelled ? "was killed: mld stops" : "took longer than \(patience): killed"
            throw LinuxError("run", path: program, message: reason)
        }
        guard status != 0 else { return }
        let isSignal = status & 0x7F != 0
        throw LinuxError(
            "run", path: program,
            message: isSignal ? "was killed by signal \(status & 0x7F)" : "exited with status \(status >> 8)")
    }

    /// False if it goes on after `patience`, or when the task is cancelled.
    private static func waitForEnd(_ pid: Int32, _ patience: Duration) async -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        var pause = Duration.milliseconds(5)
        while true {
            var information = siginfo_t()
            // Left to be reaped, so that its number stays its own.
            if waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0, information.si_signo == SIGCHLD
            {
                return true
            }
            guard clock.now < deadline, (try? await Task.sleep(for: pause)) != nil else { return false }
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    /// The program itself, links followed, if nobody but root and we can have put it there.
    private static func trusted(_ path: String) throws(LinuxError) -> String {
        guard let pointer = realpath(path, nil) else { throw LinuxError("find", path: path) }
        defer { free(pointer) }
        let real = String(cString: pointer)
        if let problem = TrustedPath.problem(of: path) { throw LinuxError("run", path: path, message: problem) }
        var status = stat()
        guard lstat(real, &status) == 0 else { throw LinuxError("look at", path: real) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw LinuxError("run", path: path, message: "is not a program")
        }
        guard TrustedPath.isOurs(status.st_uid) else {
            throw LinuxError("run", path: path, message: "belongs to neither root nor mld's user")
        }
        guard status.st_mode & 0o022 == 0 else { throw LinuxError("run", path: path, message: "is writable by others") }
        return real
    }
}
