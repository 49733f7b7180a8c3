import CLinux
import Glibc

extension Supervisor {
    /// The exit record, from what the sandbox reported and what `waitpid` said of its main process.
    func record() -> ExitRecord {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        var record = ExitRecord(cause: .exited, startedAt: startedAt, endedAt: max(startedAt, endedAt))
        record.userMicroseconds = Self.microseconds(usage.ru_utime)
        record.systemMicroseconds = Self.microseconds(usage.ru_stime)
        record.memoryPeakBytes = cgroupNumber("memory.peak") ?? memory.flatMap { $0.peak > 0 ? $0.peak : nil }
        record.memoryLimitBytes = cgroupNumber("memory.max") ?? options.memoryLimit
        record.oomKills = cgroupNumber("memory.events", field: "oom_kill")
        record.warnSignal = warnSignal
        record.outputLostBytes = output?.lost ?? 0
        record.outputDroppedBytes = output?.dropped ?? 0
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
            record.isTransient = failed.isTransient
        } else if options.wrapped, !status.started, ending == nil {
            record.cause = .couldNotStart
            let words = output?.lastErrors ?? ""
            record.message = "the sandbox could not be built" + (words.isEmpty ? "" : ": " + words)
            // The program around the job says it in the system's words.
            record.isTransient = Failure.passing.contains { words.hasSuffix(String(cString: strerror($0))) }
        } else if let ending {
            record.cause = ending
            if ending == .timeLimit {
                record.message = "ran into its time limit of \(options.timeLimit ?? 0) s"
            }
        } else if let kills = record.oomKills, kills > 0, record.exitStatus != 0 {
            record.cause = .outOfMemory
        }
        return record
    }

    private static func microseconds(_ time: timeval) -> Int64 {
        Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_usec)
    }

    /// A figure of the whole job's cgroup, which is the one above that of its processes; nil where it is not told.
    private func cgroupNumber(_ file: String, field: String? = nil) -> Int64? {
        guard cgroup >= 0 else { return nil }
        let descriptor = openat(cgroup, "../" + file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let lines = String(decoding: readAll(descriptor, limit: 4096), as: UTF8.self).split(separator: "\n")
        guard let field else { return lines.first.flatMap { Int64($0) } }
        return lines.first { $0.hasPrefix(field + " ") }.flatMap { Int64($0.dropFirst(field.utf8.count + 1)) }
    }
}
