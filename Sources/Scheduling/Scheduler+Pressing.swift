import JobAPI
import Units

// Jobs with deadlines. What is better for the climate or the purse moves a job inside its slack; once that is used up, neither a
// queue's threshold nor a rule about the grid keeps it any more.
extension Scheduler {
    /// What a job that waits is to rules, budgets and reservations; sees to it that it is asked again when it has to start.
    mutating func stand(_ job: PendingJob) -> StandingID {
        let standing = Self.standing(of: job, in: &bindings)
        guard let latest = job.flexibility?.latestByDeadline else { return standing }
        let pressed = bindings.pressed(standing)
        if pressed == standing { return standing }
        let last = lastStart(of: job, standing, by: latest)
        if let clock, last <= clock { return pressed }
        pressing.insert(Due(at: last, id: job.id))
        pressAt[job.id] = last
        return standing
    }

    /// Shortly before the last hours end in which it may start and still end by its deadline.
    private func lastStart(of job: PendingJob, _ standing: StandingID, by latest: Timestamp) -> Timestamp {
        let earliest = max(job.submittedAt, job.notBefore ?? job.submittedAt, clock ?? job.submittedAt)
        guard let open = bindings.openings(standing, from: earliest, to: latest).last, open.upperBound < latest else {
            return latest
        }
        return max(open.lowerBound, open.upperBound.advanced(by: .seconds(-60)))
    }

    /// The same of one that is active.
    mutating func stand(_ job: ActiveJob) -> StandingID {
        let standing = Self.standing(of: job, in: &bindings)
        if job.shift?.flexibility.deadline != nil { _ = bindings.pressed(standing) }
        return standing
    }

    mutating func forgetPressing(_ id: JobID) {
        if let due = pressAt.removeValue(forKey: id) { pressing.remove(Due(at: due, id: id)) }
    }

    /// Those that have to start now stand where the grid does not keep them.
    mutating func press(now: Timestamp) {
        while let due = pressing.first, due.at <= now {
            forgetPressing(due.id)
            if let job = pending[due.id] { add(job) }
        }
    }

    /// When a job that waits or stands still has to run.
    var nextPress: Timestamp? {
        var next = pressing.first?.at
        for id in suspendable.elements {
            guard let job = active[id], job.standsStill, let latest = job.shift?.latestRun,
                bindings.knownPressed(job.standing) != job.standing, clock.map({ $0 < latest }) ?? true
            else { continue }
            next = min(next ?? latest, latest)
        }
        return next
    }

    /// What an active job is to the rules now.
    func standingNow(_ job: ActiveJob) -> StandingID {
        guard let shift = job.shift, let clock, shift.isPressed(at: clock) else { return job.standing }
        return bindings.knownPressed(job.standing)
    }
}

extension Flexibility {
    /// When it has to start to end by its deadline; nil without one.
    var latestByDeadline: Timestamp? { deadline.map(latest(before:)) }

    /// When it has to start to end by `end`.
    func latest(before end: Timestamp) -> Timestamp {
        Timestamp(microseconds: end.microseconds.subtracting(Self.microseconds(runTime)))
    }
}

extension ActiveShift {
    /// When it has to run to end by its deadline if it stands still until then; nil without one. Going on costs some time too.
    var latestRun: Timestamp? {
        flexibility.deadline.map {
            let needs = remaining + flexibility.restart
            return Timestamp(microseconds: $0.microseconds.subtracting(Flexibility.microseconds(needs)))
        }
    }

    /// Whether it misses its deadline if it stands still any longer.
    func isPressed(at now: Timestamp) -> Bool {
        var present = self
        present.count(to: now)
        return present.latestRun.map { $0 <= now } ?? false
    }
}

extension Int64 {
    fileprivate func subtracting(_ other: Int64) -> Int64 {
        let (result, overflow) = subtractingReportingOverflow(other)
        return overflow ? .min : result
    }
}
