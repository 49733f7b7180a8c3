import JobAPI
import Ledger
import Sandbox
import Units

/// What the last daemon left of a job that had not ended.
enum Remains: Sendable, Hashable {
    /// Its supervisor lives.
    case running(Started)
    /// Its supervisor wrote a record; without a time where the record cannot be read now, or the supervisor was killed.
    case ended(at: Timestamp?)
    /// The machine went down under it.
    case lost(String)
    /// It was written down as starting, and neither a supervisor nor what one leaves is there.
    case neverStarted
    /// Something could not be looked at: it may run.
    case unknown(String)

    /// Nil for what did not run.
    func inOutage(_ stored: StoredJob) -> Outage.Job? {
        var job = Outage.Job(
            id: stored.record.id, attempt: stored.record.attempt, bootID: stored.bootID,
            startedAt: stored.attemptStartedAt, isRunning: false)
        switch self {
        case .running, .unknown: job.isRunning = true
        case .ended(let time): job.endedAt = time
        case .lost: break
        case .neverStarted: return nil
        }
        return job
    }
}
