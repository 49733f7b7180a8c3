import Glibc

/// How a job ended, kept in its directory for a daemon that may not have been there.
struct ExitRecord {
    enum Cause: String {
        case exited, signalled
        case timeLimit = "time-limit"
        case stopped
        case outOfMemory = "out-of-memory"
        case couldNotStart = "could-not-start"
    }

    var cause: Cause
    /// Nil where a signal ended it.
    var exitStatus: Int32?
    var signal: Int32?
    var message: String?
    /// What the job was sent as the warning it asked for.
    var warnSignal: Int32?
    /// CPU time of all processes of the job that were waited for, in µs.
    var userMicroseconds: Int64 = 0
    var systemMicroseconds: Int64 = 0
    /// The most memory the job held at once, as far as anyone counted.
    var memoryPeakBytes: Int64?
    var memoryLimitBytes: Int64?
    /// Processes the kernel killed for want of memory; nil where it does not tell.
    var oomKills: Int64?
    /// Output that could not be written, and output that made room for newer.
    var outputLostBytes: Int64 = 0
    var outputDroppedBytes: Int64 = 0
    /// It could not be started for a cause that passes by itself.
    var isTransient = false
    /// µs since 1970.
    var startedAt: Int64
    var endedAt: Int64

    init(cause: Cause, startedAt: Int64, endedAt: Int64) {
        self.cause = cause
        self.startedAt = startedAt
        self.endedAt = endedAt
    }

    /// One JSON object on one line.
    var json: String {
        func number(_ value: (some BinaryInteger)?) -> String { value.map { "\($0)" } ?? "null" }
        let fields = [
            ("exit_status", number(exitStatus)), ("signal", number(signal)), ("cause", Self.quoted(cause.rawValue)),
            ("message", message.map(Self.quoted) ?? "null"), ("warn_signal", number(warnSignal)),
            ("user_cpu_us", String(userMicroseconds)),
            ("system_cpu_us", String(systemMicroseconds)), ("memory_peak_bytes", number(memoryPeakBytes)),
            ("memory_limit_bytes", number(memoryLimitBytes)), ("oom_kills", number(oomKills)),
            ("output_lost_bytes", String(outputLostBytes)), ("output_dropped_bytes", String(outputDroppedBytes)),
            ("transient", String(isTransient)),
            ("started_at_us", String(startedAt)), ("ended_at_us", String(endedAt)),
        ]
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// A block: room for the record of any command that ran; only a long message of one that did not may need more.
    private static let reservedBytes = 4096

    /// Takes the disk space of the record before the job runs, so that a disk that fills up meanwhile cannot make the end
    /// of the job unknown.
    static func reserve(at path: String) throws(Failure) {
        let file = open(path + ".new", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure("create \(path).new") }
        defer { close(file) }
        let code = posix_fallocate(file, 0, off_t(reservedBytes))
        guard code == 0 else { throw Failure("reserve \(path).new", code: code) }
    }

    /// Says, in the room kept for the record, that the job's processes are about to be made: should this one be killed, nobody
    /// may take the job for one that never ran.
    static func markStart(at path: String) throws(Failure) {
        let file = open(path + ".new", O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw Failure("open \(path).new") }
        defer { close(file) }
        guard writeAll(file, "started\n") else { throw Failure("write \(path).new") }
    }

    /// Writes the whole record or none: into the reserved file, then renamed.
    /// - Parameter durably: synced to the disk, since nobody is there to write the end down elsewhere: it must outlive the
    ///   machine's going down, and not only a daemon's.
    func write(to path: String, durably: Bool) throws(Failure) {
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure("create \(temporary)") }
        defer { close(file) }
        let text = json
        guard writeAll(file, text) else { throw Failure("write \(temporary)") }
        guard ftruncate(file, off_t(text.utf8.count)) == 0 else { throw Failure("cut \(temporary)") }
        guard !durably || fsync(file) == 0 else { throw Failure("sync \(temporary)") }
        guard rename(temporary, path) == 0 else { throw Failure("rename \(temporary)") }
        guard durably else { return }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }
}
