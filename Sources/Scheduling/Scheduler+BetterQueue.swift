package import JobAPI
package import Units

extension Scheduler {
    /// In which other queue a job that waits would start sooner, in words: the one with the earliest start that can be expected. Nil where
    /// none is earlier than its own.
    ///
    /// Asked of the scheduler itself for each of them: that a queue admits a job says nothing of what it defers or a rule holds there.
    /// - Parameter others: the job as it would wait in each of them.
    package func betterQueue(for id: JobID, among others: [PendingJob], now: Timestamp) -> String? {
        guard let job = pending[id], job.isFree, pendingCount <= Self.mostForChanges else { return nil }
        // In each the job is asked about in its own place: it takes no room from itself.
        var other = self
        other.remove(id)
        var best: (queue: String, at: Timestamp)?
        let own = expectedStart(for: id, now: now)?.at
        for changed in others {
            guard let at = other.prospect(of: changed, now: now)?.start.at else { continue }
            if let least = best?.at ?? own, at >= least { continue }
            best = (changed.queue, at)
        }
        return best.map {
            $0.at <= now ? "in queue \($0.queue) it would start now" : "in queue \($0.queue) it would start at \($0.at)"
        }
    }
}
