package import JobAPI
package import Units
import Policy

extension Scheduler {
    /// Why a waiting job does not run, worked out when asked, so that jobs nobody asks about cost nothing.
    ///
    /// Ask after the starts of the last plan were told to ``started(_:)``.
    /// - Returns: nil when the job neither waits nor is suspended by a plan.
    package func reason(for id: JobID, now: Timestamp) -> WaitReason? {
        var decision: Decision?
        return reason(for: id, now: now, &decision)
    }

    /// The same for many jobs, those that do not wait left out: what would start now is worked out once for all of them.
    package func reasons(for ids: some Sequence<JobID>, now: Timestamp) -> [JobID: WaitReason] {
        var decision: Decision?
        var reasons: [JobID: WaitReason] = [:]
        for id in ids { reasons[id] = reason(for: id, now: now, &decision) }
        return reasons
    }

    /// - Parameter decision: what would start at `now`, worked out by the first that needs it.
    private func reason(for id: JobID, now: Timestamp, _ decision: inout Decision?) -> WaitReason? {
        guard let job = pending[id].map(planned) else { return suspension(of: id, now: now) }
        if job.held {
            return WaitReason(
                job.note ?? "held", rule: job.rule, hint: "release it with mlctl release \(id), or ask an admin to")
        }
        if let first = job.after.first {
            let rest = job.after.count - 1
            let others = rest == 0 ? "" : " and \(counted(rest, "other job"))"
            let what =
                switch first.condition {
                case .succeeded: "to succeed"
                case .failed: "to fail"
                case .ended: "to end"
                }
            return WaitReason(
                "waits for job \(first.job)\(others) \(what)", hint: "mlctl why \(first.job) says what that one does")
        }
        if let reason = deferralReason(job, now: now) { return reason }
        if let reason = ruleReason(job, now: now), dueAt[id].map({ $0 <= now }) ?? true { return reason }
        if job.notBefore == nil, let note = job.note {
            return WaitReason(note, rule: job.rule, hint: "it is tried again every few seconds")
        }
        if let notBefore = job.notBefore, isWaitingForItsTime(job), notBefore > now {
            return WaitReason(
                job.note ?? "not before \(notBefore)", rule: job.rule,
                hint: "starts at \(notBefore) at the earliest, in \(notBefore.since(now).brief)")
        }
        if let reason = beyondCap(job) { return reason }
        if !job.request.fits(in: capacity) {
            return WaitReason(
                "asks for \(words(job.request, beyond: capacity)); all that jobs may use now is"
                    + " \(words(capacity, beyond: nil))",
                hint: "cancel it and ask for less")
        }
        if let reason = beyondCards(job.request) { return reason }
        if let limit = job.arrayLimit, let array = job.array?.id, activeByArray[array, default: 0] >= limit {
            return WaitReason(
                "of array \(array) at most \(limit) may run at once, and as many do",
                hint: "starts when one of them ends")
        }
        let decided = decision ?? decide(now: now, pauses(now: now))
        decision = decided
        var reason = limitReason(job, decided, now: now) ?? waitReason(job, decided, now: now)
        if let rules = fairShare.rules, case let ratio = fairShare.ratio(of: job.account), ratio > 1.05,
            !decided.starts.contains(id)
        {
            let tenths = (ratio * 10).rounded() / 10
            let place = rules.source.map { ", \($0.place)" } ?? ""
            reason.text += "; \(job.account) has used \(tenths) times its share lately (fair-share\(place))"
            reason.rule = reason.rule ?? rules.source
        }
        return reason
    }

    private func waitReason(_ job: PendingJob, _ decision: Decision, now: Timestamp) -> WaitReason {
        if decision.starts.contains(job.id) {
            return WaitReason("about to start", hint: "nothing is in its way")
        }
        if let first = decision.blocked, first.id != job.id, decision.holds(job.request),
            let kept = decision.reservation
        {
            return behind(first, kept, job, decision, now: now)
        }
        if decision.holds(job.request), let reason = returnReason(job, decision, now: now) { return reason }
        if decision.holds(job.request) {
            // Its time has come, or its user's other jobs start first, since the last plan.
            return WaitReason("waits for the next plan", hint: "nothing is in its way")
        }
        let kept =
            decision.blocked?.id == job.id
            ? decision.reservation : reservation(for: job, now: now, free: decision.free, cards: decision.cards)
        let missing = [
            words(job.request, beyond: decision.free, outOf: capacity), decision.cards.missingWords(job.request) ?? "",
        ]
        var text = "waits for " + missing.filter { !$0.isEmpty }.joined(separator: " and ")
        let holders = active.values.filter { holder in
            (job.request.cpus > decision.free.cpus && holder.request.cpus > 0)
                || (job.request.memory > decision.free.memory && holder.request.memory > .zero)
                || (job.request.gpus > decision.free.gpus && holder.request.gpus > 0)
                || (job.request.power > decision.free.power && holder.held.power > 0)
                || decision.cards.isInTheWay(holder, of: job.request)
        }
        if !holders.isEmpty { text += ": held by \(held(by: holders))" }
        if let others = decision.cards.occupancyWords(job.request) { text += "; \(others)" }
        var rule: RuleReference?
        if job.request.power > decision.free.power {
            text += "; \(capWords)"
            rule = power.cap.source
        }
        if let first = decision.blocked, first.id != job.id {
            let others = decision.starts.isEmpty ? "" : " and what starts now"
            return WaitReason(
                text + "; job \(first.id)\(others) goes first", rule: rule,
                hint: "it starts when enough is free that job \(first.id) does not need")
        }
        var reason = expected(job, kept, text, now: now)
        reason.rule = reason.rule ?? rule
        return reason
    }

    /// It would fit, but it would be in the way of the first.
    private func behind(
        _ first: PendingJob, _ kept: Reservation, _ job: PendingJob, _ decision: Decision, now: Timestamp
    ) -> WaitReason {
        let needs = words(first.request, beyond: nil)
        let when = kept.predicted.map { "from \($0)" } ?? "as soon as jobs without a time limit end"
        let room = kept.earliest.since(now)
        let isShort = end(of: job.shape, from: now, kept).map { $0 <= kept.earliest } ?? false
        let isBeside = job.request.fits(in: kept.spare) && cards(for: job.shape, now: now, decision) != nil
        if isShort || isBeside {
            return WaitReason(
                "waits its turn: more than \(lookAhead) kinds of jobs are ahead of it",
                hint: "it starts when those ahead have")
        }
        return WaitReason(
            "would fit, but job \(first.id) is ahead of it and needs \(needs) \(when)",
            hint: room >= .seconds(1)
                ? "with a time limit of at most \(room.brief) it would start now" : "it starts after job \(first.id)")
    }

    // MARK: - Words

    /// `jobs 12, 14`, those that end first coming first.
    func held(by jobs: [ActiveJob]) -> String {
        let sorted = jobs.sorted { a, b in
            switch (a.expectedEnd, b.expectedEnd) {
            case (let x?, let y?) where x != y: x < y
            case (.some, nil): true
            case (nil, .some): false
            default: a.id < b.id
            }
        }
        let shown = sorted.prefix(5).map(\.id.description).joined(separator: ", ")
        let rest = sorted.count - 5
        return (sorted.count == 1 ? "job " : "jobs ") + shown + (rest > 0 ? " and \(rest) more" : "")
    }

    /// What of `request` is beyond `limit`, or all of it: `2 cpus and 8 GiB`; with a total, `2 of 4 cpus and 3 of 8 GiB`.
    func words(
        _ request: ResourceVector, beyond limit: ResourceVector?, outOf total: ResourceVector? = nil
    ) -> String {
        var parts: [String] = []
        if limit.map({ request.cpus > $0.cpus }) ?? true {
            let missing = total == nil ? 0 : max(0, limit?.cpus ?? 0)
            parts.append(
                total == nil
                    ? counted(request.cpus, "cpu")
                    : "\(request.cpus - missing) of \(counted(request.cpus, "cpu"))")
        }
        if limit.map({ request.memory > $0.memory }) ?? true {
            let present = ByteSize(bytes: max(0, limit?.memory.bytes ?? 0))
            parts.append(total == nil ? "\(request.memory)" : "\(request.memory - present) of \(request.memory)")
        }
        if limit.map({ request.gpus > $0.gpus })
            ?? (request.gpus > 0 && request.gpus != ResourceVector.untoldGPUs)
        {
            let present = max(0, limit?.gpus ?? 0)
            parts.append(
                total == nil
                    ? cards.words(request) : "\(request.gpus - present) of \(counted(request.gpus, "gpu"))")
        }
        if limit.map({ request.power > $0.power }) ?? (power.cap.value != nil && request.power > 0) {
            let present = max(0, limit?.power ?? 0)
            let watts = PowerTerms.words(request.power)
            parts.append(total == nil ? watts : "\(PowerTerms.words(request.power - present)) of \(watts)")
        }
        return parts.joined(separator: " and ")
    }
}
