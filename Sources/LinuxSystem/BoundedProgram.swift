import CLinux
import Glibc

/// Runs one short program at a time that may hang, print without end, or be in the way when its caller has to stop: then it
/// is killed, with all that it started.
package struct BoundedProgram: Sendable {
    private let path: String
    private let arguments: [String]
    /// Seconds after which it is killed.
    private let patience: Double
    /// Bytes of output after which it is killed.
    private let limit: Int
    /// A process that was killed and that the kernel has not let go of: it waits for a driver.
    private var remains: Int32?

    /// How long a killed process may take to end, in seconds.
    private static let grace = 1.0

    package init(_ path: String, arguments: [String], patience: Double, limit: Int = 64 * 1024) {
        self.path = path
        self.arguments = arguments
        self.patience = patience
        self.limit = limit
    }

    /// The program gets no input and an environment of nothing but the system's program directories and the C locale.
    /// Standard output and error come back together.
    ///
    /// - Throws: also where it was killed, with the reason as the message.
    package mutating func run(until stop: BackgroundLoop.Stop? = nil) throws(LinuxError) -> ProcessSpawner.Output {
        if let pid = remains {
            guard try Self.reap(pid) != nil else {
                throw LinuxError("run", path: path, message: "the one before was killed and does not end")
            }
            remains = nil
        }
        let program = try ProcessSpawner.startWithOutput(
            path, arguments: arguments,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"])
        let pid = program.process.pid
        var bytes: [UInt8] = []
        let failure = Self.collect(
            &bytes, from: program.output, until: program.process.endSign, stop: stop?.reader.raw ?? -1,
            patience: patience,
            limit: limit)
        // What it started is in its session, and so in its group; the number is theirs as long as it is not reaped. None
        // left is no failure.
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        guard let status = try wait(for: program.process, seconds: Self.grace) else {
            remains = pid
            let message = "\(failure?.message ?? "it closed its output"), and does not end"
            throw Failure(code: failure?.code ?? 0, message: message).error(path)
        }
        if let failure { throw failure.error(path) }
        return ProcessSpawner.Output(status: status, bytes: bytes)
    }

    /// Why a program has to be killed.
    struct Failure {
        /// `ETIMEDOUT` or `EFBIG` for what passed its bounds.
        var code: Int32
        var message: String

        func error(_ path: String) -> LinuxError {
            var error = LinuxError("run", path: path, message: message)
            error.code = code
            return error
        }
    }

    /// Reads to the end of a program. Returns why it has to be killed; nil where it ended by itself.
    /// - Parameters:
    ///   - end: readable when the program has ended.
    ///   - stop: readable when it is to stop; -1 for never.
    static func collect(
        _ bytes: inout [UInt8], from output: borrowing Descriptor, until end: Int32, stop: Int32 = -1, patience: Double,
        limit: Int
    ) -> Failure? {
        guard end >= 0 else { return Failure(code: ENOSYS, message: "needs a kernel with pidfds (Linux 5.3)") }
        let deadline = SystemClock.monotonicNanoseconds() + Int64(patience * 1e9)
        var waits = [
            pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
            pollfd(fd: end, events: Int16(POLLIN), revents: 0),
        ]
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (deadline - SystemClock.monotonicNanoseconds()) / 1_000_000
            guard left > 0 else {
                let seconds = Int(patience.rounded(.up))
                return Failure(code: ETIMEDOUT, message: "no answer within \(seconds) s: killed")
            }
            guard poll(&waits, nfds_t(waits.count), Int32(min(left, 60_000))) > 0 else { continue }
            if waits[1].revents != 0 { return Failure(code: ECANCELED, message: "stopped") }
            if waits[0].revents != 0 {
                let count = read(output.raw, &buffer, buffer.count)
                if count > 0 {
                    bytes += buffer[..<count]
                    if bytes.count > limit {
                        return Failure(code: EFBIG, message: "printed more than \(limit) bytes: killed")
                    }
                    continue
                }
                // All ends of the pipe are closed: from here on only the program's end is worth waiting for.
                waits[0].fd = -1
            } else if waits[2].revents != 0 {
                // It ended, and nothing more is in the pipe; something it started may still hold the other end.
                return nil
            }
        }
    }

    /// The status of a process that was killed or has ended; nil where the kernel does not let go of it in time.
    private func wait(for process: borrowing ProcessSpawner.Spawned, seconds: Double) throws(LinuxError) -> Int32? {
        var wait = pollfd(fd: process.endSign, events: Int16(POLLIN), revents: 0)
        poll(&wait, 1, Int32(seconds * 1000))
        return try Self.reap(process.pid)
    }

    /// The status of a child that has ended; nil where it has not.
    private static func reap(_ pid: Int32) throws(LinuxError) -> Int32? {
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid { return status }
            if result == 0 { return nil }
            guard errno == EINTR else { throw LinuxError("waitpid") }
        }
    }
}

extension ProcessSpawner.Spawned {
    /// What poll(2) waits for to see the process end; -1, which it ignores, on a kernel without pidfds.
    fileprivate var endSign: Int32 {
        switch descriptor {
        case .some(let descriptor): descriptor.raw
        case .none: -1
        }
    }
}
