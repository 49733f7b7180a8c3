import JobAPI
import Units

/// That a plan has left nothing more to start, and what would have to happen for that to change.
///
/// Of the jobs behind the first that waits none may start as long as nothing ends and no other time comes. So one more at their end needs
/// a look at itself alone, not at hundreds of others: half of all events are submissions.
struct Standstill: Sendable {
    /// The first that waits.
    var blocked: JobID
    /// Its place in the line.
    var order: WaitingLine.Order
    var reservation: Reservation
    /// With all started that were planned.
    var free: ResourceVector
    /// When it was found, and until when the reservation is that of then.
    var from: Timestamp
    var until: Timestamp
    /// What was planned to start, as it would be, and is not told yet.
    var awaited: [ActiveJob]
}

extension Scheduler {
    /// Only the first that waits keeps the others: no limits of users and projects, nothing reserved, and nobody who stands still.
    private var isPlain: Bool {
        limits.user.isOpen && limits.project.isOpen && reservations.isEmpty && borders.isEmpty && unsettled.isEmpty
            && suspendable.isEmpty
    }

    /// Keeps what the plan found.
    mutating func keepStandstill(_ decision: Decision, now: Timestamp) {
        standstill = nil
        // What starts behind it may fill the limit of its own array.
        guard isPlain, let blocked = decision.blocked, blocked.arrayLimit == nil,
            let order = decision.blockedOrder, let reservation = decision.reservation
        else { return }
        let awaited = decision.starts.compactMap { starting($0, at: now) }
        guard awaited.count == decision.starts.count else { return }
        var until = reservation.firstEnd ?? Timestamp(microseconds: .max)
        for job in awaited {
            if let end = reservation.isByLimits ? job.expectedEnd : job.likelyEnd(now: now) { until = min(until, end) }
        }
        // Once it is past, only limits count.
        if !reservation.isByLimits, let promise { until = min(until, promise.at) }
        guard until > now else { return }
        standstill = Standstill(
            blocked: blocked.id, order: order, reservation: reservation, free: decision.free, from: now, until: until,
            awaited: awaited)
    }

    /// What the last plan found, if nothing has happened since that could change it.
    func standstill(at now: Timestamp) -> Standstill? {
        guard isPlain, let standstill, standstill.awaited.isEmpty, standstill.from <= now, now < standstill.until else {
            return nil
        }
        return standstill
    }

    /// A job joins the line. Where it cannot start, all stays as it was.
    mutating func join(_ job: PendingJob) {
        let rank = Rank(job, agingPerPoint: Self.agingMicroseconds)
        let kept = standstill.flatMap { isKept(job, rank, by: $0) ? $0 : nil }
        line.insert(rank, owner: owner(job), shape: job.shape)
        standstill = kept
    }

    /// Later it would end later still: what is kept out now is kept out as long as the standstill lasts.
    private func isKept(_ job: PendingJob, _ rank: Rank, by standstill: Standstill) -> Bool {
        if line.closed.contains(job.standing) { return true }
        // Which cards are left is not kept.
        if job.request.gpus > 0, job.request.fits(in: standstill.free) { return false }
        return standstill.order < line.order(rank, account: job.account)
            && isKeptOut(job.shape, now: standstill.from, free: standstill.free, by: standstill.reservation)
    }

    /// A job that was planned starts as it was planned: that changes nothing.
    func standstill(after job: ActiveJob) -> Standstill? {
        guard var kept = standstill, let index = kept.awaited.firstIndex(of: job) else { return nil }
        kept.awaited.remove(at: index)
        return kept
    }
}
