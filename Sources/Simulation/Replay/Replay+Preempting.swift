import JobAPI
import Policy
import Scheduling
import Units

// Jobs of a queue that another preempts make room, by the daemon's own choice. A trace tells of no checkpoints: what they computed is
// lost, and computed again.
extension Replay {
    /// After a plan that starts nothing.
    /// - Returns: whether somebody made room.
    mutating func makeRoom(for plan: Plan, at now: Timestamp) -> Bool {
        guard plan.starts.isEmpty, let id = plan.blocked, let job = scheduler.pendingJob(id),
            let others = policy.queue(job.queue)?.preempts.value, !others.isEmpty
        else { return false }
        var jobs: [Scheduler.Stoppable] = []
        for (other, running) in active where others.contains(running.pending.queue) {
            let computing = running.isSuspended ? 0 : now.since(running.since).seconds
            let done = trace.jobs[running.index].runTime - Double(running.work) / 1e6 + computing * running.share
            jobs.append(
                Scheduler.Stoppable(
                    pending: running.pending, attempt: Int(log.runs[running.index].preemptions) + 1,
                    atStake: max(0, done) * power(of: running), isStopping: false))
            let free = scheduler.active[other]?.startedAt.advanced(
                by: Scheduler.protection(ofAttempt: Int(log.runs[running.index].preemptions) + 1))
            if let free, free > now { wake = min(wake ?? free, free) }
        }
        jobs.sort { $0.pending.id < $1.pending.id }
        let victims = scheduler.victims(for: id, among: jobs, now: now)
        for victim in victims { stop(victim, at: now) }
        return !victims.isEmpty
    }

    /// - Parameter forGood: it does not wait again.
    mutating func stop(_ id: JobID, forGood: Bool = false, at now: Timestamp) {
        guard let job = active.removeValue(forKey: id) else { return }
        if !job.isSuspended { note(job, until: now) }
        scheduler.ended(id)
        if !forGood { scheduler.add(job.pending) }
        log.runs[job.index].preemptions += 1
        log.runs[job.index].state = .waiting
        log.end = now
        log.events += 1
    }
}
