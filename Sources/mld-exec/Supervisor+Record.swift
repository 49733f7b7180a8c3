import CLinux
import Glibc

extension Supervisor {
    /// The exit record, from what the sandbox reported and what `waitpid` said of its main process.
    func record() -> ExitRecord {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        var record = ExitRecord(
            cause: .exited, userMicroseconds: Self.microseconds(usage.ru_utime),
            systemMicroseconds: Self.microseconds(usage.ru_stime), maximumResidentBytes: Int64(usage.ru_maxrss) * 1024,
            startedAt: startedAt, endedAt: max(startedAt, endedAt))
        let waited = status.ended ?? mainStatus ?? 0
        if mld_wait_signaled(waited) {
            record.cause = .signalled
            record.signal = mld_wait_signal(waited)
        } else {
            record.exitStatus = mld_wait_exit_status(waited)
            // Without the inner report the wrapper's word counts: it tells a signal as 128 + its number, like a shell.
            if options.wrapped, status.ended == nil, let code = record.exitStatus, code > 128, code <= 128 + 64 {
                record.cause = .signalled
                record.signal = code - 128
                record.exitStatus = nil
            }
        }
        if let failed = status.failed {
            record.cause = .couldNotStart
            record.exitStatus = failed.status
            record.signal = nil
            record.message = failed.message
        } else if options.wrapped, !status.started, ending == nil {
            record.cause = .couldNotStart
            let words = errorTail()
            record.message = "the sandbox could not be built" + (words.isEmpty ? "" : ": " + words)
        } else if let ending {
            record.cause = ending
            if ending == .timeLimit {
                record.message = "ran into its time limit of \(options.timeLimit ?? 0) s"
            }
        }
        return record
    }

    private static func microseconds(_ time: timeval) -> Int64 {
        Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_usec)
    }

    /// What the sandbox program has written to the job's error output; the job itself has not run.
    private func errorTail() -> String {
        let file = open("/proc/self/fd/2", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var information = stat()
        guard fstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFREG, errorOffset >= 0 else {
            return ""
        }
        let start = max(errorOffset, information.st_size - 1000)
        guard lseek(file, start, SEEK_SET) == start else { return "" }
        let text = String(decoding: readAll(file, limit: 1000), as: UTF8.self)
        return text.split(separator: "\n").joined(separator: "; ")
    }
}
