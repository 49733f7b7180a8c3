import Carbon
package import JobAPI
import Policy
package import Units

extension Scheduler {
    /// Why a job is deferred; nil for one that is not.
    func deferralReason(_ job: PendingJob, now: Timestamp) -> WaitReason? {
        let earliest = max(job.notBefore ?? now, now)
        guard let shift = shifts[job.id], isWaitingForItsTime(job), shift.start > earliest,
            let flexibility = job.flexibility
        else { return nil }
        let length = Flexibility.microseconds(flexibility.runTime)
        // What the grid is when it may not start yet is no figure of now.
        let when = earliest > now ? "at \(earliest)" : "now"
        var text =
            "deferred until \(shift.start)"
            + comparison(flexibility, then: shift.mean, from: earliest, length, when: when)
        if shift.isCrowdedOut { text += "; sooner hours that are as good are booked by others that wait" }
        if earliest > now { text += "; " + (job.note ?? "not before \(earliest)") }
        return WaitReason(text, rule: flexibility.source, hint: hint(flexibility, from: earliest, when: when))
    }

    /// Why an active job is suspended by the plan; nil for one that is not.
    func suspensionReason(_ job: ActiveJob, now: Timestamp) -> WaitReason? {
        job.shift?.isSuspended == true ? pauseReason(for: job.id, now: now) : nil
    }

    /// Until when and why the plan suspends an active job that ``Plan/suspends`` names; nil for one that it never suspends.
    package func pauseReason(for id: JobID, now: Timestamp) -> WaitReason? {
        guard let job = active[id], let shift = job.shift else { return nil }
        guard let next = shift.runs.first(where: { $0.to > now }), next.from > now else {
            return WaitReason(
                "suspended; it goes on when \(counted(job.request.cpus, "cpu")) are free",
                rule: shift.flexibility.source, hint: "what becomes free is kept for it")
        }
        let then = forecast.planner(for: shift.flexibility.goal)?.mean([next])
        let length = next.to.microseconds - next.from.microseconds
        return WaitReason(
            "suspended until \(next.from)" + comparison(shift.flexibility, then: then, from: now, length),
            rule: shift.flexibility.source, hint: shift.flexibility.end.map { "it ends by \($0)" })
    }

    /// Why a job that would fit does not start beside those that are suspended; nil where they are not in its way.
    func returnReason(_ job: PendingJob, _ decision: Decision, now: Timestamp) -> WaitReason? {
        let pauses = pauses(now: now)
        let end = job.surelyEnds(from: now)
        guard !job.request.fits(in: decision.free - pauses.comingBack(before: end)),
            let first = pauses.returns.first(where: { back in
                !job.request.fits(in: decision.free - pauses.comingBack(before: back.at.advanced(by: .microseconds(1))))
            })
        else { return nil }
        let room = first.at.since(now)
        return WaitReason(
            "would fit, but job \(first.id) goes on at \(first.at) and needs \(counted(first.needs.cpus, "cpu"))",
            hint: room >= .seconds(1)
                ? "with a time limit of at most \(room.brief) it would start now" : "it starts when more is free")
    }

    /// `: grid expected at 212 g/kWh then, 410 g/kWh now; deadline 2026-11-24T08:00:00Z; by nights (site.toml:12)`.
    private func comparison(
        _ flexibility: Flexibility, then: Double?, from start: Timestamp, _ length: Int64, when: String = "now"
    ) -> String {
        let quantity: SignalQuantity = flexibility.goal == .carbon ? .intensity : .price
        let what = flexibility.goal == .carbon ? "grid" : "price"
        let source =
            (flexibility.deadline.map { "; deadline \($0)" } ?? "") + (flexibility.source.map { "; by \($0)" } ?? "")
        guard let planner = forecast.planner(for: flexibility.goal), let then else { return source }
        let end = planner.advance(start, by: length) ?? start
        guard let here = planner.series.mean(start, end) ?? planner.series.value(at: start) else { return source }
        return ": \(what) expected at \(quantity.text(then)) then, \(quantity.text(here)) \(when)" + source
    }

    /// The smallest change with which it would start as soon as it may.
    private func hint(_ flexibility: Flexibility, from earliest: Timestamp, when: String) -> String? {
        guard let window = flexibility.window(from: earliest) else { return nil }
        let least = window.earliest.advanced(by: window.duration)
        if !flexibility.isInterruptible, let planner = forecast.planner(for: flexibility.goal),
            let better = planner.firstBetterStart(in: window)
        {
            return "with a deadline before \(better.advanced(by: window.duration)) it would start \(when)"
        }
        return "with a deadline of \(least) it would start \(when)"
    }
}

extension ShiftPlanner {
    /// The first slot in which a job would start rather than at once; for run times of whole minutes, as ``StartIndexes``.
    func firstBetterStart(in window: Window) -> Timestamp? {
        let seconds = (Self.wholeSeconds(window.duration) + 59) / 60 * 60
        guard let atOnce = cost(from: window.earliest, seconds: seconds) else { return nil }
        let latest = Self.latestStart(window)
        var start = firstSlot(from: window.earliest)
        while let slot = start, slot <= latest, let cost = cost(from: slot, seconds: seconds) {
            if cost < atOnce { return slot }
            start = advance(slot, by: slotLength)
        }
        return nil
    }
}
