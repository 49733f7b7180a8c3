package import JobAPI
package import Units
import Policy

/// What would become of a job if it were submitted now.
package struct Prospect: Sendable {
    /// Why it would wait; nil where it would start at once.
    package var reason: WaitReason?
    package var start: ExpectedStart
    /// The same if it were not deferred.
    package var undeferred: ExpectedStart
    /// A rule or a budget would keep it.
    package var isKept: Bool
}

extension Scheduler {
    /// What would be said of a job if it waited: it is added, asked about and taken out again, so that the answer is the scheduler's own,
    /// and costs no copy of all that wait.
    ///
    /// Only for a job that is neither held nor waits for others.
    /// - Parameter job: under a number that no other has.
    package mutating func prospect(of job: PendingJob, now: Timestamp) -> Prospect? {
        add(job)
        defer { remove(job.id) }
        guard let job = pending[job.id], let start = expectedStart(for: job.id, now: now) else { return nil }
        let startsNow = start.at.map { $0 <= now } ?? false
        var reason = startsNow ? nil : self.reason(for: job.id, now: now)
        if let grant = grantHint(for: job.id, now: now) { reason?.hint = grant }
        return Prospect(
            reason: reason, start: start,
            undeferred: dueAt[job.id] == nil ? start : expectedStart(of: job, now: now, isDeferred: false),
            isKept: ruleReason(job, now: now) != nil)
    }

    /// When a job that waits would start, an estimate; nil for one that is held or waits for others.
    package func expectedStart(for id: JobID, now: Timestamp) -> ExpectedStart? {
        guard let job = pending[id], job.isFree else { return nil }
        var start = expectedStart(of: job, now: now)
        guard dueAt[id].map({ $0 <= now }) ?? true, ruleReason(job, now: now) == nil else { return start }
        if decide(now: now, pauses(now: now)).starts.contains(id) { return ExpectedStart(at: now, ahead: 0) }
        // It fits, and may not pass one before it of which nobody can tell when it starts, or a limit of its own.
        if let at = start.at, at <= now { start.at = nil }
        return start
    }

    /// How many changes of rules and budgets are looked at.
    private static let mostChanges = 64

    /// Before when nothing but room can let a job start: its own time, that of its deferral, and that of rules and budgets as far as the
    /// clock tells. Nil where they may keep it for ever.
    func earliestStart(of job: PendingJob, now: Timestamp, isDeferred: Bool) -> Timestamp? {
        var time = max(now, job.notBefore ?? now)
        if isDeferred, let due = dueAt[job.id] { time = max(time, due) }
        for _ in 0..<Self.mostChanges {
            guard let wait = bindings.wait(job.standing, at: time) else { return time }
            guard let next = wait.askAgain, next > time else { return nil }
            time = next
        }
        return nil
    }
}
