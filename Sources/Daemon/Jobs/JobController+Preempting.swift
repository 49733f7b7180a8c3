import JobAPI
import Ledger
import Logging
import Policy
import Scheduling
import Units

// Jobs of a queue that another preempts make room for the first of it that waits: they are told to stop, may save what they have within
// their grace time, and wait again.
extension JobController {
    /// After a plan that starts nothing: what is free is free then.
    func makeRoom(for plan: Plan) async {
        guard let id = plan.blocked, let job = scheduler.pendingJob(id), let queue = policy.queue(job.queue),
            !queue.preempts.value.isEmpty
        else { return }
        let others = scheduler.active.values.filter { queue.preempts.value.contains($0.queue) }.map(\.id).sorted()
        guard !others.isEmpty else { return }
        // What they drew until now is booked.
        await meter.flush()
        let stakes: [JobID: Double]
        do { stakes = try await ledger.atStake(others) } catch {
            return logger.error("cannot tell who would lose least: \(error)")
        }
        let jobs = others.compactMap { other -> Scheduler.Stoppable? in
            guard let live = live[other] else { return nil }
            return Scheduler.Stoppable(
                pending: live.pending, attempt: live.attempt, atStake: stakes[other], isStopping: !live.isLeftAlone)
        }
        let now = Timestamp.now()
        let victims = scheduler.victims(for: id, among: jobs, now: now)
        if victims.isEmpty {
            // Some may be stopped only when they have run for a while.
            let ends = jobs.compactMap { job in
                scheduler.active[job.pending.id]?.startedAt
                    .advanced(by: Scheduler.protection(ofAttempt: job.attempt))
            }
            if let next = ends.filter({ $0 > now }).min() { wakeUp(at: next) }
        }
        for victim in victims {
            do {
                try await preempt(
                    victim,
                    by:
                        "mld, for job \(id) of queue \"\(queue.name)\" (queue.\(queue.name).preempts, \(queue.preempts.place))"
                )
                logger.notice("stopped to make room for job \(id)", metadata: ["job": "\(victim)"])
            } catch {
                logger.error("cannot stop it for job \(id): \(error)", metadata: ["job": "\(victim)"])
            }
        }
    }
}
