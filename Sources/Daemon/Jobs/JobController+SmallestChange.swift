import JobAPI
import Ledger
import Policy
import Scheduling
import Units

extension JobController {
    /// What would let a job that waits start now, before what helps otherwise.
    func hint(_ reason: WaitReason, _ stored: StoredJob) -> String? {
        if let hint = reason.hint, hint.contains("it would start now") { return hint }
        let now = Timestamp.now()
        if let grant = scheduler.grantHint(for: stored.record.id, now: now) { return grant }
        let change = scheduler.smallestChange(for: stored.record.id, now: now) ?? betterQueue(stored, now: now)
        let hints = [change, reason.hint].compactMap(\.self)
        return hints.isEmpty ? nil : hints.joined(separator: "; ")
    }

    /// Another queue in which it would start sooner if it were submitted there now.
    private func betterQueue(_ stored: StoredJob, now: Timestamp) -> String? {
        let id = stored.record.id
        guard let job = scheduler.pendingJob(id), job.isFree else { return nil }
        let others = policy.queues.filter { $0.name != job.queue }.compactMap {
            resubmitted(job, stored, to: $0.name, now: now)
        }
        return scheduler.betterQueue(for: id, among: others, now: now)
    }

    /// As the job would wait in another queue; nil where that would not have it, or would hold it.
    private func resubmitted(_ job: PendingJob, _ stored: StoredJob, to queue: String, now: Timestamp) -> PendingJob? {
        var spec = stored.spec
        spec.queue = queue
        // It waits already: nobody would have more jobs in the queue.
        let admission = admission(
            of: spec, count: 0, by: submitter(uid: stored.record.uid, gid: stored.gid), now: now, in: conditions)
        guard case .accepted(let admitted) = admission, !admitted.held else { return nil }
        let likes = JobKeys(spec, user: stored.record.uid, queue: admitted.queue).work
        var job = job
        job.queue = admitted.queue
        job.priority = admitted.priority
        job.timeLimit = admitted.timeLimit
        // What it waited for until now counts for nothing there.
        job.submittedAt = now
        job.notBefore = admitted.notBefore
        job.likes = likes
        job.flexibility = flexibility(leeway(admitted), likes: likes, timeLimit: admitted.timeLimit)
        return job
    }
}
