import JobAPI
import Policy
import Units

/// What is kept free for the first job that has to wait (EASY backfill).
struct Reservation: Sendable {
    /// When the job fits, if every active job ends when it is expected to; nil when jobs of which nobody knows that stand in its
    /// way.
    var predicted: Timestamp?
    /// It cannot start before this, whatever ends early of the jobs without a limit. What ends by then delays nothing.
    var earliest: Timestamp
    /// What may be in use beyond `earliest` without delaying the job.
    var spare: ResourceVector
    /// Only time limits count, not what is learned of run times.
    var isByLimits: Bool
}

extension Scheduler {
    struct Decision: Sendable {
        var starts: [JobID] = []
        var blocked: PendingJob?
        var reservation: Reservation?
        /// What is left once `starts` have started.
        var free: ResourceVector
    }

    /// Goes through the waiting jobs in order. What fits starts, until one does not: it is given a reservation, and those
    /// behind it start only if that is not touched.
    func decide(now: Timestamp, _ pauses: Pauses) -> Decision {
        var decision = Decision(free: free - pauses.kept)
        var running = activeByUser
        var runningOfArray = activeByArray
        var started: [ActiveJob] = []
        var looked = 0
        var walk = Walk(line)
        while let candidate = walk.next() {
            if let limit = maxRunningPerUser.value {
                // The job with the reservation also needs the right to run, which a later job of its user could take.
                let kept = candidate.owner.uid == decision.blocked?.uid ? 1 : 0
                if running[candidate.owner.uid, default: 0] + kept >= limit { continue }
            }
            guard let job = pending[JobID(candidate.rank.id)], job.request.fits(in: capacity) else {
                walk.passed(candidate)  // The machine shrank since it was accepted; it must not stop the others.
                continue
            }
            if let limit = job.arrayLimit, let array = job.array?.id, runningOfArray[array, default: 0] >= limit {
                walk.passed(candidate)  // So do the others of its array: they are of its shape.
                continue
            }
            if job.request.fits(in: decision.free - pauses.comingBack(before: job.surelyEnds(from: now))),
                mayStart(job, now: now, &decision.reservation)
            {
                decision.starts.append(job.id)
                decision.free -= job.request
                running[candidate.owner.uid, default: 0] += 1
                if let array = job.array?.id { runningOfArray[array, default: 0] += 1 }
                if decision.blocked == nil, var active = starting(job.id, at: now) {
                    active.expectedEnd = job.surelyEnds(from: now)
                    started.append(active)
                }
                walk.took(candidate)
                continue
            }
            if decision.blocked == nil {
                decision.blocked = job
                decision.reservation = reservation(
                    for: job, now: now, free: decision.free - pauses.comingBack(before: nil), alsoActive: started)
            }
            looked += 1
            // Every job needs a CPU.
            if looked >= lookAhead || decision.free.cpus < 1 { break }
            walk.passed(candidate)
        }
        return decision
    }

    /// Whether a job that fits may start beside the reservation, which then has less to spare.
    private func mayStart(_ job: PendingJob, now: Timestamp, _ reservation: inout Reservation?) -> Bool {
        guard let kept = reservation else { return true }
        if let end = self.end(of: job, from: now, kept), end <= kept.earliest { return true }
        guard job.request.fits(in: kept.spare) else { return false }
        reservation?.spare -= job.request
        return true
    }

    /// When `job` can start, going through the active jobs by expected end.
    ///
    /// Jobs are expected to end as their likes did, and by their limits where too little is known of those. Once the time is
    /// past at which `job` was expected to start, only limits count: what runs longer than its likes delays it no further.
    ///
    /// When jobs of which nobody knows must end first, nobody can say when that is. Then the job's earliest start is what it
    /// would be if they all ended now, and what it lacks of is given to nobody who would hold it beyond that. So it gets all
    /// that becomes free, and starts when enough has, rather than watch smaller jobs take each piece.
    func reservation(
        for job: PendingJob, now: Timestamp, free: ResourceVector, alsoActive: [ActiveJob] = [],
        isByLimits: Bool? = nil
    ) -> Reservation {
        let all = Array(active.values) + alsoActive
        var unlimited = ResourceVector.zero
        var ends: [(at: Timestamp, id: JobID, request: ResourceVector)] = []
        let isByLimits = isByLimits ?? isOverdue(job.id, now: now)
        for other in all {
            // One that should have ended is about to.
            if let end = isByLimits ? other.expectedEnd : other.likelyEnd(now: now) {
                ends.append((max(end, now), other.id, other.request))
            } else {
                unlimited += other.request
            }
        }
        ends.sort { $0.at == $1.at ? $0.id < $1.id : $0.at < $1.at }
        let predicted = Self.firstFit(job.request, from: free, ends: ends, now: now)
        let earliest = predicted ?? Self.firstFit(job.request, from: free + unlimited, ends: ends, now: now) ?? now
        let sure = ends.reduce(free) { $1.at <= earliest ? $0 + $1.request : $0 }
        return Reservation(
            predicted: predicted, earliest: earliest, spare: (sure - job.request).positivePart, isByLimits: isByLimits)
    }

    private static func firstFit(
        _ request: ResourceVector, from free: ResourceVector,
        ends: [(at: Timestamp, id: JobID, request: ResourceVector)], now: Timestamp
    ) -> Timestamp? {
        if request.fits(in: free) { return now }
        var free = free
        for end in ends {
            free += end.request
            if request.fits(in: free) { return end.at }
        }
        return nil
    }
}
