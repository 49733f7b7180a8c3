import JobAPI
import Policy
import Scheduling
import Units

// Rules that leave a job fewer CPUs than it holds, by the daemon's own choice. How much slower it is then no trace tells: it is taken
// to compute, and to draw, in proportion.
extension Replay {
    /// After a plan, for which the rules were asked.
    mutating func keepCaps(at now: Timestamp) {
        guard policy.capsCPUs else { return }
        for id in active.keys.sorted() {
            guard let job = active[id] else { continue }
            let request = trace.jobs[job.index].request
            let cap = scheduler.cpuCap(id).flatMap(\.value)
            if request.gpus > 0 {
                if cap != nil { cappedWithGPUs.insert(job.index) }
                continue
            }
            let share = cap.map { min(1, Double(max(1, $0)) / Double(max(1, request.cpus))) } ?? 1
            if share != job.share { pace(id, job, share, at: now) }
        }
    }

    private mutating func pace(_ id: JobID, _ job: Active, _ share: Double, at now: Timestamp) {
        var job = job
        guard !job.isSuspended else {
            active[id]?.share = share
            return
        }
        note(job, until: now)
        job.compute(until: now)
        job.share = share
        compute(id, job, at: now)
    }

    mutating func addCapNotes() {
        if policy.capsCPUs {
            log.notes.append(
                "jobs that a rule caps are taken to compute, and to draw, in proportion to the CPUs it leaves them")
        }
        if !cappedWithGPUs.isEmpty {
            let (jobs, are) = cappedWithGPUs.count == 1 ? ("job", "is") : ("jobs", "are")
            log.notes.append(
                "\(cappedWithGPUs.count) \(jobs) with GPUs \(are) not slowed by a rule that caps CPUs: nobody knows by how much"
            )
        }
        let limits =
            policy.rules.contains { $0.cap.power != nil } || policy.queues.contains { $0.powerLimit.value != .none }
        if limits {
            log.notes.append("power limits of jobs are not acted on: no trace tells how much slower a job is under one")
        }
    }
}
