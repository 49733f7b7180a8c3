import JobAPI
import Policy
import Scheduling
import Units

// What happens to one job once it is started. The scheduler is told first, the log follows.

extension Replay {
    mutating func start(_ id: JobID, at now: Timestamp) {
        guard let pending = scheduler.pendingJob(id), let starting = scheduler.starting(id, at: now) else { return }
        let index = Int(id.number - 1)
        scheduler.started(starting)
        log.runs[index].state = .running
        log.runs[index].gpuPart = machine.gpuPart(of: starting.request, on: starting.cards)
        log.runs[index].started = log.runs[index].started ?? now
        compute(
            id,
            Active(
                index: index, account: pending.account, pending: pending, since: now,
                work: Self.microseconds(trace.jobs[index].runTime),
                allowance: pending.timeLimit.map(Self.microseconds), budgets: budgets(of: index, pending), event: 0),
            at: now)
    }

    /// It computes from now on, until its work is done or its limit reached.
    mutating func compute(_ id: JobID, _ job: Active, at now: Timestamp) {
        var job = job
        job.since = now
        let length = min(job.needed, job.allowance ?? job.needed)
        book.change(job.budgets, watts: watts(of: job), at: now)
        job.event = ends.add(id, at: Timestamp(microseconds: now.microseconds + length))
        active[id] = job
        log.events += 1
    }

    mutating func suspend(_ id: JobID, byRule: Bool = false, at now: Timestamp) {
        guard var job = active[id], !job.isSuspended else { return }
        if byRule { scheduler.halted(id, at: now) } else { scheduler.suspended(id, at: now) }
        if scheduler.active[id]?.shift == nil { scheduler.expect(id, toEnd: nil) }
        note(job, until: now)
        job.compute(until: now)
        job.isSuspended = true
        job.event = 0
        active[id] = job
        log.runs[job.index].suspensions += 1
        log.end = now
        log.events += 1
    }

    mutating func resume(_ id: JobID, byRule: Bool = false, at now: Timestamp) {
        guard var job = active[id], job.isSuspended else { return }
        if byRule { scheduler.wentOn(id, at: now) } else { scheduler.resumed(id, at: now) }
        if scheduler.active[id]?.shift == nil, let left = job.allowance {
            scheduler.expect(id, toEnd: now.advanced(by: .microseconds(left)))
        }
        job.isSuspended = false
        log.resumes.append(ReplayLog.Resume(job: Int32(job.index), at: now))
        compute(id, job, at: now)
    }

    /// It computes no more as it did since it began to.
    mutating func note(_ job: Active, until now: Timestamp) {
        book.change(job.budgets, watts: -watts(of: job), at: now)
        guard job.since < now else { return }
        log.segments.append(
            ReplayLog.Segment(job: Int32(job.index), from: job.since, to: now, share: job.share))
        if policy.fairShare.isOn { scheduler.charge(job.account, use(of: job, until: now), at: now) }
    }

    /// What its time computing counts for its account, in what the policy shares. Shares are of like amounts, so carbon that is
    /// not known is shared as the energy behind it.
    private func use(of job: Active, until now: Timestamp) -> Double {
        let traced = trace.jobs[job.index]
        let seconds = now.since(job.since).seconds
        let watts = watts(of: job)
        switch policy.fairShare.by.value {
        case .cpuTime: return seconds * Double(traced.request.cpus)
        case .carbon where intensity.hasIntensity: return intensity.grams(watts: watts, job.since, now).amount
        case .energy, .carbon: return watts * seconds
        }
    }

    mutating func end(_ id: JobID, _ job: Active, at now: Timestamp) {
        scheduler.ended(id)
        active[id] = nil
        note(job, until: now)
        if options.limits == .learned { learn(from: job) }
        log.runs[job.index].ended = now
        log.runs[job.index].state = job.isCut ? .timedOut : .finished
        log.events += 1
    }

    /// What it draws while it computes at its pace.
    func watts(of job: Active) -> Double { power(of: job) * job.share }

    /// With all its CPUs.
    func power(of job: Active) -> Double {
        machine.power(of: trace.jobs[job.index], gpuPart: log.runs[job.index].gpuPart)
    }

    /// As the scheduler counts time limits, so that a limit that equals the run time does not cut it short.
    static func microseconds(_ seconds: Double) -> Int64 { Int64(min(max(0, seconds), 9e9) * 1e6) }
}
