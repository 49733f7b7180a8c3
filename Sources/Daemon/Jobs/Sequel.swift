import JobAPI
import Ledger
import Units

/// What follows the end of an attempt: the job is over, or waits for another one.
enum Sequel: Sendable {
    case final(Outcome)
    case again(Ledger.Requeue)

    /// The longest pause before a retry.
    static let longestPause = Duration.seconds(3600)
    private static let longestDelay = longestPause.seconds
    /// The pause after the first time that a job was lost, doubled after each further attempt.
    private static let lossDelay = 5.0

    /// - Parameters:
    ///   - wasStopped: its supervisor ended it because it was asked to, and not the job itself.
    ///   - couldStart: its command ran; one that cannot be started is not tried again.
    init(_ outcome: Outcome, of job: LiveJob, wasStopped: Bool, couldStart: Bool = true, now: Timestamp) {
        self = .final(outcome)
        guard job.cancelledBy == nil else { return }
        if let user = job.requeuedBy, wasStopped {
            let cause = "stopped to wait again, requeued by \(user)"
            self = .again(Ledger.Requeue(cause: cause, attempt: "preempted", end: outcome.end))
            return
        }
        switch outcome.state {
        case .failed where couldStart && job.retried < job.spec.schedule.retries:
            let number = job.retried + 1
            let delay = min(job.spec.schedule.retryDelay * Double(1 << min(job.retried, 20)), Self.longestDelay)
            let cause =
                "\(outcome.cause); retry \(number) of \(job.spec.schedule.retries) in \((.seconds(delay) as Duration).brief)"
            self = .again(
                Ledger.Requeue(
                    cause: cause, attempt: outcome.state.rawValue, notBefore: now.advanced(by: .seconds(delay)),
                    isRetry: true, end: outcome.end))
        case .lost where job.spec.schedule.interruptible:
            // One that takes the machine down must not do so at once again, and again.
            let delay = min(Self.lossDelay * Double(1 << min(max(job.attempt - 1, 0), 20)), Self.longestDelay)
            let pause = (.seconds(delay) as Duration).brief
            let cause = "\(outcome.cause); queued again in \(pause), since it is interruptible"
            self = .again(
                Ledger.Requeue(
                    cause: cause, attempt: outcome.state.rawValue, notBefore: now.advanced(by: .seconds(delay)),
                    end: outcome.end))
        case .lost where job.retried < job.spec.schedule.retries:
            let cause = "\(outcome.cause); retry \(job.retried + 1) of \(job.spec.schedule.retries)"
            self = .again(
                Ledger.Requeue(cause: cause, attempt: outcome.state.rawValue, isRetry: true, end: outcome.end))
        default: break
        }
    }
}
