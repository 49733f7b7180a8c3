import JobAPI
package import Units

/// When a job would start, going by what is known now.
package struct ExpectedStart: Hashable, Sendable {
    /// Nil where nobody can tell.
    package var at: Timestamp?
    /// Jobs that wait before it.
    package var ahead: Int
    /// More wait before it than are looked at.
    package var isBeyond: Bool

    package init(at: Timestamp?, ahead: Int, isBeyond: Bool = false) {
        self.at = at
        self.ahead = ahead
        self.isBeyond = isBeyond
    }
}

extension Scheduler {
    /// How many jobs that wait are looked at before it is said that nobody can tell.
    package static let mostAhead = 256

    /// What is planned by of the grid.
    package var shiftForecast: ShiftForecast { forecast }

    /// When a job would start if nothing else came: those before it in the line are given their place one after the other, each as
    /// early as there is room for it, and then the job.
    ///
    /// It starts no earlier than rules, budgets and its deferral let it. Those that wait for a time of their own are not looked at.
    ///
    /// An estimate: run times are those of likes, or limits; what users, projects and arrays may have at once is looked
    /// at. The work is bounded by ``mostAhead`` and the jobs that run.
    /// - Parameter isDeferred: where the job waits for its time, whether it does.
    package func expectedStart(of job: PendingJob, now: Timestamp, isDeferred: Bool = true) -> ExpectedStart {
        let job = planned(settled(job))
        guard fitsMachine(job.request),
            let earliest = earliestStart(of: job, now: now, isDeferred: isDeferred)
        else { return ExpectedStart(at: nil, ahead: 0) }
        // Once it is later than its likes said, only limits count, as for its reservation.
        let isByLimits = isOverdue(job.id, now: now)
        var profile = FreeProfile(
            free: Room(amounts: free, cards: cards), now: now,
            ends: active.values.compactMap { other in
                (isByLimits ? other.expectedEnd : other.likelyEnd(now: now)).map { (max($0, now), other) }
            })
        var shares = LimitProfiles(limits, active.values, now: now)
        let place = line.order(Rank(job, agingPerPoint: Self.agingMicroseconds), account: job.account)
        var ahead = 0
        var walk = Walk(line)
        while let candidate = walk.next(), candidate.order < place {
            defer { walk.took(candidate) }
            guard let other = pending[JobID(candidate.rank.id)].map(planned), other.id != job.id,
                fitsMachine(other.request)
            else { continue }
            guard ahead < Self.mostAhead else { return ExpectedStart(at: nil, ahead: ahead, isBeyond: true) }
            ahead += 1
            let length = expectedLength(of: other)
            guard let start = shares.start(of: other, in: profile, for: length, from: now) else { continue }
            profile.take(other.request, on: start.cards, from: start.at, for: length)
            shares.take(other, from: start.at, for: length)
        }
        let start = shares.start(of: job, in: profile, for: expectedLength(of: job), from: earliest)
        return ExpectedStart(at: start?.at, ahead: ahead)
    }

    /// Nil where neither its likes nor a limit tell.
    private func expectedLength(of job: PendingJob) -> Duration? {
        let start = Timestamp(microseconds: 0)
        return (likelyEnd(of: job.shape, from: start) ?? job.expectedEnd(from: start)).map { $0.since(start) }
    }
}
