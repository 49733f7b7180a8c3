import Units
import JobAPI

/// What is kept free for the first job that has to wait (EASY backfill).
struct Reservation: Sendable {
    /// When the job fits, if every active job ends when it is expected to; nil when jobs of which nobody knows that stand in its
    /// way.
    var predicted: Timestamp?
    /// It cannot start before this, whatever ends early of the jobs without a limit. What ends by then delays nothing.
    var earliest: Timestamp
    /// What may be in use beyond `earliest` without delaying the job.
    var spare: ResourceVector
    /// The same of GPUs; nil where the job needs none, so that none are kept.
    var spareCards: CardRoom?
    /// Only time limits count, not what is learned of run times.
    var isByLimits: Bool
    /// When the first active job is expected to end; now where one should have ended.
    var firstEnd: Timestamp?
}

extension Reservation {
    /// When as much can be had, going through the active jobs by expected end.
    ///
    /// When jobs of which nobody knows must end first, nobody can say when that is. Then the job's earliest start is what it
    /// would be if they all ended now, and what it lacks of is given to nobody who would hold it beyond that. So it gets all
    /// that becomes free, and starts when enough has, rather than watch smaller jobs take each piece.
    init(
        for request: ResourceVector, now: Timestamp, free: ResourceVector, among active: [ActiveJob],
        isByLimits: Bool = true
    ) {
        self.isByLimits = isByLimits
        var unlimited = ResourceVector.zero
        var ends: [(at: Timestamp, id: JobID, request: ResourceVector)] = []
        for other in active {
            // One that should have ended is about to.
            if let end = isByLimits ? other.expectedEnd : other.likelyEnd(now: now) {
                ends.append((max(end, now), other.id, other.request))
            } else {
                unlimited += other.request
            }
        }
        ends.sort { $0.at == $1.at ? $0.id < $1.id : $0.at < $1.at }
        firstEnd = ends.first?.at
        predicted = Self.firstFit(request, from: free, ends: ends, now: now)
        let earliest = predicted ?? Self.firstFit(request, from: free + unlimited, ends: ends, now: now) ?? now
        let sure = ends.reduce(free) { $1.at <= earliest ? $0 + $1.request : $0 }
        self.earliest = earliest
        spare = (sure - request).positivePart
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
