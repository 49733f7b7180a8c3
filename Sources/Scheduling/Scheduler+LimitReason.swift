import JobAPI
import Policy
import Units

// Why a job waits that room alone would let start: its user's or project's limits, and what is reserved for others.
extension Scheduler {
    func limitReason(_ job: PendingJob, _ decision: Decision, now: Timestamp) -> WaitReason? {
        if decision.starts.contains(job.id) { return nil }
        var parties: [(Party, SchedulerLimits.Share)] = []
        if !limits.user.isOpen { parties.append((.user(job.uid), limits.user)) }
        if !limits.project.isOpen { parties.append((.project(job.project), limits.project)) }
        for (party, share) in parties {
            if let reason = limitReason(job, party, share, decision, now: now) { return reason }
        }
        return reservationReason(job, decision, now: now)
    }

    private func limitReason(
        _ job: PendingJob, _ party: Party, _ share: SchedulerLimits.Share, _ decision: Decision, now: Timestamp
    ) -> WaitReason? {
        let members = active.values.filter { job in
            switch party {
            case .user(let uid): job.uid == uid
            case .project(let name): job.project == name
            }
        }
        let own = members.isEmpty ? "" : ": \(held(by: members)) " + (members.count == 1 ? "runs" : "run")
        if let most = share.running.value, members.count >= most {
            return WaitReason(
                "\(key("running", party)) is \(most) (\(share.running.place))" + own, rule: share.running.source,
                hint: "starts when one of them ends")
        }
        let room = decision.quotas.room(party, share)
        if let most = share.cpus.value, job.request.cpus > room.cpus {
            return tooLarge(job, most, share.cpus, key("cpus", party), "cpu", job.request.cpus, room.cpus, own)
        }
        if let most = share.gpus.value, job.request.gpus > room.gpus {
            return tooLarge(job, most, share.gpus, key("gpus", party), "gpu", job.request.gpus, room.gpus, own)
        }
        return keptReason(job, party, share, members, decision, now: now)
    }

    private func tooLarge(
        _ job: PendingJob, _ most: Int, _ limit: Setting<Int?>, _ key: String, _ thing: String, _ asked: Int,
        _ room: Int, _ own: String
    ) -> WaitReason {
        let left = max(0, room)
        return WaitReason(
            "\(key) is \(most) (\(limit.place))\(own); \(counted(left, thing)) \(left == 1 ? "is" : "are") left, and it asks for \(asked)",
            rule: limit.source,
            hint: asked > most
                ? "cancel it and ask for \(thing)s = \(most) or less"
                : left > 0 && job.request.cpus > 0
                    ? "with \(thing)s = \(left) its limit would let it start now" : "starts when one of them ends")
    }

    /// What is left of the limits is another's, who is ahead.
    private func keptReason(
        _ job: PendingJob, _ party: Party, _ share: SchedulerLimits.Share, _ members: [ActiveJob],
        _ decision: Decision, now: Timestamp
    ) -> WaitReason? {
        guard let first = decision.quotas.quotas[party]?.first, first.id != job.id else { return nil }
        let isLast = share.running.value.map { members.count + 1 >= $0 } ?? false
        let end = job.surelyEnds(from: now)
        let isBeyond = (decision.quotas.quotas[party]?.looked ?? 0) >= Quotas.lookAhead
        guard isLast || isBeyond || decision.quotas.obstacle(job, end: end) == party else { return nil }
        if isLast, let most = share.running.value {
            let others =
                members.isEmpty ? "it" : "\(held(by: members)) \(members.count == 1 ? "runs" : "run"), and the last"
            return WaitReason(
                "\(key("running", party)) is \(most) (\(share.running.place)): \(others) is kept for job \(first.id)",
                rule: share.running.source, hint: "starts after job \(first.id)")
        }
        let limit = share.cpus.value == nil ? share.gpus : share.cpus
        let room = decision.quotas.quotas[party]?.reservation?.earliest.since(now)
        return WaitReason(
            "\(key(share.cpus.value == nil ? "gpus" : "cpus", party)) is \(limit.value ?? 0) (\(limit.place)): what"
                + " is left is kept for job \(first.id), which is ahead of it", rule: limit.source,
            hint: room.flatMap { $0 >= .seconds(1) ? "with a time limit of at most \($0.brief) it would pass" : nil }
                ?? "starts after job \(first.id)")
    }

    private func key(_ what: String, _ party: Party) -> String {
        switch party {
        case .user: "limits.max-\(what)-per-user"
        case .project: "limits.max-\(what)-per-project"
        }
    }

    /// It would run into what is reserved for others.
    private func reservationReason(_ job: PendingJob, _ decision: Decision, now: Timestamp) -> WaitReason? {
        let places = bindings[job.standing].reservations
        let end = job.surelyEnds(from: now)
        let cards = cards(for: job.shape, now: now, decision)
        guard let window = decision.windows?.obstacle(job.request, on: cards, mayUse: places, until: end) else {
            return nil
        }
        let others = window.places.filter { !places.contains($0) }
        guard let place = others.first ?? window.places.first else { return nil }
        let reservation = reservations[place]
        let interval = reservation.nextInterval(from: window.at)
        let until = interval.map { $0.upperBound.microseconds == .max ? "" : " until \($0.upperBound)" } ?? ""
        let room = window.at.since(now)
        let when = room > .zero ? "from \(window.at)" : "now"
        let text =
            "reservation \"\(reservation.name)\" (\(reservation.source.place)) keeps"
            + " \(reservation.keptWords) \(when)\(until)"
        guard room >= .seconds(1) else {
            return WaitReason(
                text, rule: reservation.source,
                hint: interval.map { "it may start after \($0.upperBound)" } ?? "an admin may change the reservation")
        }
        return WaitReason(
            text + (end == nil ? "; without a time limit it might run into that" : "; it would run into that"),
            rule: reservation.source, hint: "with a time limit of at most \(room.brief) it would not be in its way")
    }
}
