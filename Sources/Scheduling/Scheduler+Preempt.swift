package import JobAPI
import Policy
package import Units

// Jobs of some queues are put back where one of another would wait.
extension Scheduler {
    /// An active job that may be stopped for the first that waits.
    package struct Stoppable: Sendable {
        /// As it would wait again.
        package var pending: PendingJob
        /// How often it was started.
        package var attempt: Int
        /// Joules since its last checkpoint; nil where nobody knows.
        package var atStake: Double?
        /// It was asked to stop already.
        package var isStopping: Bool

        package init(pending: PendingJob, attempt: Int, atStake: Double? = nil, isStopping: Bool) {
            self.pending = pending
            self.attempt = attempt
            self.atStake = atStake
            self.isStopping = isStopping
        }
    }

    /// How long an attempt runs at least before it is stopped for another: each further one of a job twice as long as the one
    /// before, so that a job comes to its end whatever waits.
    package static func protection(ofAttempt attempt: Int) -> Duration {
        attempt <= 1 ? .zero : .seconds(60 * (1 << min(attempt - 1, 6)))
    }

    /// Whom to stop so that a job that waits for room can start, those that lose least first. Empty where it needs nobody's room
    /// beyond what is being given up, or where stopping all that may be would not do.
    ///
    /// Only those are stopped that would wait behind it: what would start again before it is not given its room.
    package func victims(for id: JobID, among jobs: [Stoppable], now: Timestamp) -> [JobID] {
        guard let job = pending[id].map(planned) else { return [] }
        var free = Room(amounts: free, cards: cards)
        var candidates: [Preemption.Candidate] = []
        let place = line.order(Rank(job, agingPerPoint: Self.agingMicroseconds), account: job.account)
        for stoppable in jobs {
            guard let active = active[stoppable.pending.id] else { continue }
            if stoppable.isStopping {
                free.give(active.held, active.request, active.cards)
                continue
            }
            guard now.since(active.startedAt) >= Self.protection(ofAttempt: stoppable.attempt),
                place < order(ofStopped: stoppable.pending)
            else { continue }
            candidates.append(
                Preemption.Candidate(
                    id: active.id, held: active.held, request: active.request, cards: active.cards,
                    atStake: stoppable.atStake))
        }
        return Preemption.victims(for: job.request, free: free.amounts, cards: free.cards, among: candidates) ?? []
    }

    private func order(ofStopped job: PendingJob) -> WaitingLine.Order {
        line.order(Rank(job, agingPerPoint: Self.agingMicroseconds), account: job.account)
    }
}
