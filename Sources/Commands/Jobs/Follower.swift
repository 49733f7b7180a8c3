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
    /// How long to go on trying after losing the daemon, and how long to wait at first; each wait is twice the one before, up to
    /// five seconds.
    var patience = Duration.seconds(300)
    var pause = Duration.milliseconds(250)
    /// Takes a line for the person who waits.
    var note: @Sendable (String) -> Void = { _ in }

    /// Hands every event to `take`, each once, and returns the ended job.
    ///
    /// - Throws: ``ClientError`` when the daemon stays away, and what `take` throws.
    func run(_ take: (JobEvent) throws -> Void) async throws -> JobRecord {
        var seen = Seen()
        var (next, waited) = (pause, Duration.zero)
        var isTold = false
        while true {
            let before = seen
            do {
                let isOver = try await client.events(of: id, from: .start, after: before.position, logs: logs) {
                    events in
                    var replay = before
                    defer { seen = replay.current }
                    for try await event in events {
                        guard replay.isNew(event) else { continue }
                        try take(event)
                        replay.took(event)
                        if event.type == .state, event.state?.isFinal == true { return true }
                    }
                    return false
                }
                let record = try await client.job(id).job
                if isOver || record.state.isFinal { return record }
                if waited >= patience {
                    throw ClientError.broken(call: "the events of job \(id)", cause: "they end before the job does")
                }
            } catch let error as ClientError {
                // Only a daemon that was once there is worth waiting for.
                guard isKnown || seen != Seen(), error.isPassing, waited < patience else { throw error }
                if !isTold {
                    note("mlctl: lost the daemon; job \(id) goes on, and so does this once the daemon is back")
                }
                isTold = true
            }
            if seen != before {
                (next, waited) = (pause, .zero)
            }
            try await Task.sleep(for: next)
            waited += next
            next = min(next * 2, .seconds(5))
        }
    }
}

/// What has been handed on already: where the output goes on, and what to skip of the rest when it is told again.
private struct Seen: Equatable {
    private(set) var position: String?
    private var latest: Timestamp?
    private var resumedAt: Timestamp?

    /// The state for the next connection.
    var current: Seen {
        var next = self
        next.resumedAt = latest
        return next
    }

    func isNew(_ event: JobEvent) -> Bool {
        let isFinal = event.type == .state && event.state?.isFinal == true
        guard let resumedAt, event.type != .log, !isFinal else { return true }
        return event.at > resumedAt
    }

    mutating func took(_ event: JobEvent) {
        if event.type == .log {
            position = event.position ?? position
        } else {
            latest = max(latest ?? event.at, event.at)
        }
    }
}

extension ClientError {
    /// May be gone when tried again, as while the daemon restarts.
    var isPassing: Bool {
        switch self {
        case .unreachable, .busy, .broken, .timeout: true
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
