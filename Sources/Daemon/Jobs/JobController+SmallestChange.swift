import JobAPI
import Ledger
import LinuxSystem
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

    /// Another queue that would take the job and start it now.
    private func betterQueue(_ stored: StoredJob, now: Timestamp) -> String? {
        guard var job = scheduler.pendingJob(stored.record.id), job.isFree, !scheduler.wouldStart(job, now: now) else {
            return nil
        }
        let user = User.lookup(uid: stored.record.uid, gid: stored.gid)
        for queue in policy.queues where queue.name != stored.record.queue {
            var spec = stored.spec
            spec.queue = queue.name
            let admission = policy.admit(
                spec, by: Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home),
                machine: machine, queuedByUser: 0, now: now,
                power: expectation(for: spec, user: user.uid))
            guard case .accepted(let admitted) = admission, !admitted.held, admitted.notBefore ?? now <= now else {
                continue
            }
            job.queue = admitted.queue
            job.priority = admitted.priority
            job.timeLimit = admitted.timeLimit
            if scheduler.wouldStart(job, now: now) { return "in queue \(queue.name) it would start now" }
        }
        return nil
    }
}
