package import JobAPI
package import Units

extension Scheduler {
    /// The jobs to start now. Nothing is started by this: tell ``started(_:)`` which were.
    package mutating func plan(now: Timestamp) -> Plan {
        clock = max(clock ?? now, now)
        press(now: now)
        bringDue(now: now)
        keepShares(now: now)
        askRules(now: now)
        crossBorders(now: now)
        let wakeAt = [nextDue, borders.first?.at, nextRuleChange, nextPress].compactMap { $0 }.min()
        if let kept = standstill(at: now) {
            return Plan(starts: [], blocked: kept.blocked, reservedFor: kept.reservation.predicted, wakeAt: wakeAt)
        }
        let pauses = pauses(now: now)
        let decision = decide(now: now, pauses)
        keepPromise(decision)
        chosenCards = decision.chosenCards
        keepStandstill(decision, now: now)
        return Plan(
            starts: decision.starts, blocked: decision.blocked?.id, reservedFor: decision.reservation?.predicted,
            wakeAt: wakeAt,
            suspends: pauses.suspends, resumes: pauses.resumes, halts: pauses.halts, goOns: pauses.goOns)
    }

    /// The job as an active one, if it starts at `now`.
    package func starting(_ id: JobID, at now: Timestamp) -> ActiveJob? {
        pending[id].map(planned).map { job in
            ActiveJob(
                id: id, uid: job.uid, project: job.project, queue: job.queue, request: job.request, startedAt: now,
                expectedEnd: job.expectedEnd(from: now), array: job.array?.id, shift: job.activeShift(from: now),
                predictedEnd: likelyEnd(of: job.shape, from: now), isTraining: job.isTraining,
                isInterruptible: job.isInterruptible, cards: chosenCards[id])
        }
    }
}
