import FoundationEssentials
import Glibc
package import LinuxSystem

/// How a job ended, as its supervisor wrote it.
package struct ExitRecord: Sendable, Hashable, Codable {
    package enum Cause: String, Sendable, Codable {
        case exited, signalled
        case timeLimit = "time-limit"
        /// On request.
        case stopped
        /// The command never ran; `message` says why.
        case couldNotStart = "could-not-start"
        /// Killed for want of memory, by the kernel or by its supervisor.
        case outOfMemory = "out-of-memory"
    }

    package var cause: Cause
    /// Nil where a signal ended it.
    package var exitStatus: Int32?
    package var signal: Int32?
    package var message: String?
    /// What the job was sent as the warning it asked for, before its time limit; nil where it was sent none.
    package var warnSignal: Int32?
    /// CPU time of the job's processes, in µs; a cgroup's figure is better, since it also counts who was not waited for.
    package var userMicroseconds: Int64
    package var systemMicroseconds: Int64
    /// The most memory the job held at once: its cgroup's word, or the largest sum its supervisor saw; nil where nobody counted.
    package var memoryPeakBytes: Int64?
    package var memoryLimitBytes: Int64?
    /// Processes the kernel killed for want of memory; nil where it does not tell.
    package var oomKills: Int64?
    /// Output that could not be written, for the disk was full.
    package var outputLostBytes: Int64?
    /// Output that made room for newer, beyond the limit of the logs.
    package var outputDroppedBytes: Int64?
    /// It could not be started for a cause that passes by itself, such as memory or descriptors used up.
    package var transient: Bool?
    /// µs since 1970.
    package var startedAt: Int64
    package var endedAt: Int64

    package init(
        cause: Cause, exitStatus: Int32? = nil, signal: Int32? = nil, message: String? = nil,
        userMicroseconds: Int64 = 0, systemMicroseconds: Int64 = 0, startedAt: Int64, endedAt: Int64
    ) {
        self.cause = cause
        self.exitStatus = exitStatus
        self.signal = signal
        self.message = message
        self.userMicroseconds = userMicroseconds
        self.systemMicroseconds = systemMicroseconds
        self.startedAt = startedAt
        self.endedAt = endedAt
    }

    /// A SIGTERM that its supervisor did not send ended it, or a shell that reports so.
    package var isEndedByTerm: Bool { warnSignal != SIGTERM && isEnded(by: SIGTERM) }

    /// It did not handle the signal of its own warning.
    package var isEndedByWarning: Bool { warnSignal.map { isEnded(by: $0) } ?? false }

    private func isEnded(by number: Int32) -> Bool {
        cause == .signalled && signal == number || cause == .exited && exitStatus == 128 + number
    }

    /// It never ran, and may be started again.
    package var mayStartLater: Bool { cause == .couldNotStart && transient == true }

    enum CodingKeys: String, CodingKey {
        case cause, signal, message, transient
        case exitStatus = "exit_status"
        case warnSignal = "warn_signal"
        case userMicroseconds = "user_cpu_us"
        case systemMicroseconds = "system_cpu_us"
        case memoryPeakBytes = "memory_peak_bytes"
        case memoryLimitBytes = "memory_limit_bytes"
        case oomKills = "oom_kills"
        case outputLostBytes = "output_lost_bytes"
        case outputDroppedBytes = "output_dropped_bytes"
        case startedAt = "started_at_us"
        case endedAt = "ended_at_us"
    }

    /// As a shell tells it: the exit status, or 128 + the signal's number.
    package var shellStatus: Int32 { signal.map { 128 + $0 } ?? exitStatus ?? 1 }

    /// What there is of a record.
    package enum Found: Sendable, Hashable {
        case record(ExitRecord)
        /// None, or none that could be true.
        case none
        /// It is there and cannot be read: for want of descriptors or memory, which passes, or for trouble with the disk.
        case unreadable(String, passes: Bool)

        package var record: ExitRecord? { if case .record(let record) = self { record } else { nil } }
    }

    /// Reads a record; nil if there is none, none that could be true, or none that can be read now.
    package static func read(_ path: String) -> ExitRecord? { look(path).record }

    /// Looks for a record. Where the sandbox could not hide it, a job can write to its own: so it is bounded, must be a
    /// regular file, and its figures must be possible ones.
    package static func look(_ path: String) -> Found {
        let bytes: [UInt8]
        do throws(LinuxError) {
            let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            var information = stat()
            guard fstat(file.raw, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
                information.st_size <= 64 * 1024
            else { return .none }
            bytes = try file.read(limit: 64 * 1024)
        } catch {
            let isThere = error.isTransient || error.code == EIO
            return isThere ? .unreadable(error.description, passes: error.isTransient) : .none
        }
        guard let record = try? JSONDecoder().decode(ExitRecord.self, from: Data(bytes)), record.isPossible else {
            return .none
        }
        return .record(record)
    }

    /// Whether the supervisor that was to write this record went so far as to make the job's processes.
    package static func wasStarted(_ path: String) throws(LinuxError) -> Bool {
        let bytes: [UInt8]
        do {
            bytes = try Descriptor.open(path + ".new", O_RDONLY | O_NOFOLLOW | O_NONBLOCK).read(limit: 8)
        } catch {
            guard error.code == ENOENT else { throw error }
            return false
        }
        // Until then the file holds nothing but the zeros of its reserved room.
        return bytes.first.map { $0 != 0 } ?? false
    }

    private var isPossible: Bool {
        let microseconds = 0...Int64(1e17)  // 3,000 years
        return (exitStatus.map { (0...255).contains($0) } ?? true) && (signal.map { (1...64).contains($0) } ?? true)
            && (warnSignal.map { (1...64).contains($0) } ?? true)
            && (exitStatus == nil) != (signal == nil) && (message?.utf8.count ?? 0) <= 16 * 1024
            && microseconds.contains(userMicroseconds) && microseconds.contains(systemMicroseconds)
            && microseconds.contains(startedAt) && microseconds.contains(endedAt) && startedAt <= endedAt
            && [memoryPeakBytes, memoryLimitBytes, oomKills, outputLostBytes, outputDroppedBytes]
                .allSatisfy { $0.map { (0...Int64(1 << 62)).contains($0) } ?? true }
    }
}
