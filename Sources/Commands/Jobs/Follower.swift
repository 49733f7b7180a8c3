import JobAPI
import JobClient
import Units

/// Follows a job to its end, also across a restart of the daemon, which leaves jobs running.
struct Follower {
    var client: JobClient
    var id: JobID
    var logs: Bool
    /// The daemon has answered about this job before, so it is worth waiting for even at the first attempt.
    var isKnown = false
    /// How often to try again after losing the daemon, and how long to wait in between.
    var attempts = 60
    var pause = Duration.milliseconds(500)

    /// Hands every event to `take`, each once, and returns the ended job.
    ///
    /// - Throws: ``ClientError`` when the daemon stays away, and what `take` throws.
    func run(_ take: (JobEvent) throws -> Void) async throws -> JobRecord {
        var seen = Seen()
        var failures = 0
        while true {
            do {
                let before = seen
                let isOver = try await client.events(of: id, from: .start, logs: logs) { events in
                    var replay = before
                    defer { seen = replay.current }
                    for try await event in events {
                        guard let new = replay.new(event) else { continue }
                        try take(new)
                        if new.type == .state, new.state?.isFinal == true { return true }
                    }
                    return false
                }
                let record = try await client.job(id).job
                if isOver || record.state.isFinal { return record }
                if seen != before { failures = 0 }
                failures += 1
                if failures > attempts {
                    throw ClientError.broken(call: "the events of job \(id)", cause: "they end before the job does")
                }
            } catch let error as ClientError {
                // Only a daemon that was once there is worth waiting for.
                guard isKnown || seen != Seen(), error.isPassing, failures < attempts else { throw error }
                failures += 1
            }
            try await Task.sleep(for: pause)
        }
    }
}

/// What has been handed on already, to be skipped when the daemon tells the story from its start again.
private struct Seen: Equatable {
    /// Bytes of each output.
    private var bytes: [String: Int] = [:]
    private var latest: Timestamp?
    private var replayed: [String: Int] = [:]
    private var resumedAt: Timestamp?

    /// The state for the next connection.
    var current: Seen {
        var next = Seen()
        next.bytes = bytes
        next.latest = latest
        next.resumedAt = latest
        return next
    }

    /// The event, or the part of it, that is new; nil when there is none.
    mutating func new(_ event: JobEvent) -> JobEvent? {
        if event.type == .log {
            let stream = event.stream ?? "stdout"
            let content = Array((event.text ?? "").utf8)
            let start = replayed[stream, default: 0]
            replayed[stream] = start + content.count
            let skipped = min(max(0, bytes[stream, default: 0] - start), content.count)
            bytes[stream] = max(bytes[stream, default: 0], start + content.count)
            if skipped == content.count { return nil }
            var rest = event
            rest.text = String(decoding: content.dropFirst(skipped), as: UTF8.self)
            return rest
        }
        latest = max(latest ?? event.at, event.at)
        let isFinal = event.type == .state && event.state?.isFinal == true
        if let resumedAt, event.at <= resumedAt, !isFinal { return nil }
        return event
    }
}

extension ClientError {
    /// May be gone when tried again, as while the daemon restarts.
    fileprivate var isPassing: Bool {
        switch self {
        case .unreachable, .broken, .timeout: true
        case .refused, .tooLarge, .malformed: false
        }
    }
}

/// The status a shell would show for this job: its own, 128 + the signal that ended it, 1 when it could not run or was
/// stopped in an orderly way.
func exitStatus(of job: JobRecord) -> Int32 {
    if job.state == .succeeded { return 0 }
    if let status = job.exitStatus, (1...255).contains(status) { return Int32(status) }
    if let signal = job.signal, (1...127).contains(signal) { return Int32(128 + signal) }
    return 1
}
