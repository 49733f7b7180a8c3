import CLinux
import Glibc

extension ProcessSpawner {
    /// Runs a short helper that may hang: after `seconds`, or when `isCancelled` says so, it and all of its session are
    /// killed.
    /// - Returns: the status and the standard output, at most 64 KiB; nil if it was killed.
    package static func run(
        _ path: String, arguments: [String], environment: [String: String], seconds: Double,
        isCancelled: () -> Bool = { false }
    ) throws(LinuxError) -> Output? {
        var ends: [Int32] = [0, 0]
        guard mld_pipe(&ends) == 0 else { throw LinuxError("pipe") }
        let reader = Descriptor(owning: ends[0])
        let pid: Int32
        do {
            let writer = Descriptor(owning: ends[1])
            let null = try Descriptor.open("/dev/null", O_RDWR)
            pid = try start(
                path, arguments: arguments, environment: environment, descriptors: [null.raw, writer.raw, null.raw]
            ).pid
        }
        let deadline = SystemClock.monotonicNanoseconds() + Int64(seconds * 1e9)
        var bytes: [UInt8] = []
        var isDone = false
        while !isDone, bytes.count < 64 * 1024, SystemClock.monotonicNanoseconds() < deadline, !isCancelled() {
            var poll = pollfd(fd: reader.raw, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 50) > 0 else { continue }
            let chunk = try? reader.read(limit: 1)
            bytes += chunk ?? []
            isDone = chunk?.isEmpty ?? true
        }
        var status: Int32 = 0
        // The output's end is not yet the program's.
        while isDone, waitpid(pid, &status, WNOHANG) == 0 {
            isDone = SystemClock.monotonicNanoseconds() < deadline && !isCancelled()
            if isDone { usleep(2_000) }
        }
        if isDone { return Output(status: status, bytes: bytes) }
        // It leads a session of its own, so its children go with it.
        kill(-pid, SIGKILL)
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return nil
    }
}
