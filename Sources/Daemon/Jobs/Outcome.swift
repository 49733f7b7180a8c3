import JobAPI
import Ledger
import Sandbox
import Units

/// How a job ended, in the words of the ledger: a cause a person can act on.
struct Outcome: Sendable {
    var state: JobState
    var cause: String
    var end: JobEnd?
    /// When its processes were gone, by the supervisor's clock.
    var endedAt: Timestamp?

    /// The time to write down: the supervisor's, unless it lies outside what can be.
    func time(startedAt: Timestamp?) -> Timestamp {
        let now = Timestamp.now()
        guard let endedAt, endedAt <= now, endedAt >= startedAt ?? endedAt else { return now }
        return endedAt
    }

    /// Reads a supervisor's record of the end of a job's processes.
    /// - Parameters:
    ///   - record: nil when the supervisor died before it could write one.
    ///   - lastWords: the last line of the job's standard error, to make a failure tell more than a number.
    ///   - progress: the last the job said of how far it is.
    init(
        record: ExitRecord?, cancelledBy: String?, timeLimit: Double?, lastWords: String?, progress: Progress? = nil
    ) {
        guard let record else {
            state = cancelledBy == nil ? .failed : .cancelled
            cause =
                cancelledBy.map { "cancelled by \($0)" }
                ?? "its supervisor left no record: it was killed, or could not write one; nothing is known of its end"
            return
        }
        endedAt = Timestamp(microseconds: record.endedAt)
        end = JobEnd(
            exitStatus: record.exitStatus.map(Int.init), signal: record.signal.map(Int.init),
            cpuMicroseconds: Int64(clamping: record.userMicroseconds) &+ Int64(clamping: record.systemMicroseconds))
        let words = lastWords.map { ": " + $0 } ?? ""
        let place = progress.map(Self.place) ?? ""
        switch record.cause {
        case .couldNotStart:
            state = .failed
            cause =
                "could not start: " + (record.message ?? "no reason was recorded") + Self.startHint(record.exitStatus)
        case .stopped:
            // Nobody here asked for it: the machine shuts down, or somebody with the right to do so stopped the supervisor.
            state = cancelledBy == nil ? .lost : .cancelled
            cause = cancelledBy.map { "cancelled by \($0)" } ?? "stopped from outside, as when the machine shuts down"
        case .exited where cancelledBy != nil, .signalled where cancelledBy != nil,
            .outOfMemory where cancelledBy != nil:
            state = .cancelled
            cause = "cancelled by \(cancelledBy ?? "")"
        case .exited where record.isEndedByWarning, .signalled where record.isEndedByWarning:
            state = .timedOut
            let limit = timeLimit.map { " of " + (.seconds($0) as Duration).brief } ?? ""
            let number = record.warnSignal ?? 0
            cause =
                "ended by \(Self.signals[number]?.name ?? "signal \(number)"), sent as it asked (warn-signal) before its"
                + " time limit\(limit)\(place); handle the signal, or ask for more with [resources] time"
        case .timeLimit:
            state = .timedOut
            let limit = timeLimit.map { (.seconds($0) as Duration).brief } ?? "its limit"
            cause = "stopped after its time limit of \(limit)\(place); ask for more with [resources] time"
        case .outOfMemory:
            state = .outOfMemory
            cause = "killed: \(Self.memory(record))\(place); ask for more with [resources] memory"
        case .exited:
            let status = record.exitStatus ?? 0
            state = status == 0 ? .succeeded : .failed
            cause = "exited with status \(status)" + (status == 0 ? "" : Self.meaning(of: status) + place + words)
        case .signalled:
            state = .failed
            cause = "killed by \(Self.name(ofSignal: record.signal ?? 0))\(place)" + words
        }
        if let lost = record.outputLostBytes, lost > 0 {
            cause += "; \(ByteSize(bytes: lost)) of its output could not be written, most likely for a full disk"
        }
    }

    init(state: JobState, cause: String, end: JobEnd?) {
        self.state = state
        self.cause = cause
        self.end = end
    }
}

// The words.
extension Outcome {
    /// ` at step 812 of epoch 3`.
    private static func place(_ progress: Progress) -> String {
        progress.step.map { " at step \($0) of epoch \(progress.epoch)" } ?? " in epoch \(progress.epoch)"
    }

    /// `used 2.1 of 2.0 GiB`, as far as it was counted.
    private static func memory(_ record: ExitRecord) -> String {
        guard let limit = record.memoryLimitBytes else { return "the machine had no memory left for it" }
        guard let peak = record.memoryPeakBytes else { return "used more than its \(ByteSize(bytes: limit)) of memory" }
        let units = [(Int64(1) << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        let (size, unit) = units.first { limit >= $0.0 } ?? (1, "B")
        return "used \(tenths(peak, size)) of \(tenths(limit, size)) \(unit)"
    }

    private static func tenths(_ bytes: Int64, _ unit: Int64) -> String {
        let tenths = (Double(bytes) / Double(unit) * 10).rounded()
        return "\(tenths / 10)"
    }

    private static func startHint(_ status: Int32?) -> String {
        switch status {
        case 127: "; is it installed, and is its directory in the job's PATH?"
        default: ""
        }
    }

    /// What shells and programs mean by some statuses.
    private static func meaning(of status: Int32) -> String {
        switch status {
        case 126: " (a command that is there could not be executed)"
        case 127: " (a command was not found)"
        case 129...(128 + 64) where signals[status - 128] != nil:
            " (as a shell reports a command killed by \(name(ofSignal: status - 128)))"
        default: ""
        }
    }

    private static func name(ofSignal number: Int32) -> String {
        signals[number].map { "\($0.name) (\($0.meaning))" } ?? "signal \(number)"
    }

    /// Of Linux on every machine it runs mld on.
    private static let signals: [Int32: (name: String, meaning: String)] = [
        1: ("SIGHUP", "hang-up"), 2: ("SIGINT", "interrupt"), 3: ("SIGQUIT", "quit"),
        4: ("SIGILL", "illegal instruction: was it built for another processor?"), 5: ("SIGTRAP", "trap"),
        6: ("SIGABRT", "it gave up by itself"), 7: ("SIGBUS", "memory that is not there"),
        8: ("SIGFPE", "impossible arithmetic"), 9: ("SIGKILL", "not sent by mld"), 10: ("SIGUSR1", "user signal"),
        11: ("SIGSEGV", "invalid memory access"), 12: ("SIGUSR2", "user signal"),
        13: ("SIGPIPE", "nobody read what it wrote"), 14: ("SIGALRM", "alarm"), 15: ("SIGTERM", "not sent by mld"),
        24: ("SIGXCPU", "limit of CPU time"), 25: ("SIGXFSZ", "a file above its size limit"),
        31: ("SIGSYS", "a system call that does not exist here"),
    ]
}
