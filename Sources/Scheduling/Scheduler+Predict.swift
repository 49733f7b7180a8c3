package import Units
import JobAPI

// What is learned of run times decides who may pass the first that waits, and when that one is expected to start. Whatever is
// promised beyond that stays on time limits: windows that are kept free, and the end of what runs too long.
extension Scheduler {
    /// When the job will have ended, going by its likes, if it starts at `now`; nil where too little is known of them, and for
    /// one that may be suspended.
    func likelyEnd(of shape: Shape, from now: Timestamp) -> Timestamp? {
        guard !shape.mayPause, let time = history.predicted(shape.likes) else { return nil }
        return min(
            now.advanced(by: .seconds(time.seconds)), shape.expectedEnd(from: now) ?? Timestamp(microseconds: .max))
    }

    /// When the job will have ended as far as the reservation goes by that.
    func end(of shape: Shape, from now: Timestamp, _ kept: Reservation) -> Timestamp? {
        kept.isByLimits
            ? shape.surelyEnds(from: now) : likelyEnd(of: shape, from: now) ?? shape.surelyEnds(from: now)
    }

    /// When there is room for a request, going by what runs now and by nothing that waits; nil where nobody can tell.
    package func earliestRoom(for request: ResourceVector, likes: UInt64 = 0, now: Timestamp) -> Timestamp? {
        let job = PendingJob(
            id: JobID(0), uid: 0, queue: "", priority: 0, submittedAt: now, request: request, likes: likes)
        return reservation(for: planned(job), now: now, free: free).predicted
    }

    /// Its likes said that it could have started by now.
    func isOverdue(_ id: JobID, now: Timestamp) -> Bool { promise.map { $0.id == id && $0.at < now } ?? false }

    /// Keeps when the first that waits was expected to start when it became the first.
    mutating func keepPromise(_ decision: Decision) {
        guard let first = decision.blocked else { return promise = nil }
        if promise?.id == first.id { return }
        promise = decision.reservation?.predicted.map { (first.id, $0) }
    }
}

extension ActiveJob {
    /// When it is expected to end; nil where nobody knows.
    ///
    /// One that runs longer than its likes is given as long again as it has run, again and again, up to its limit: never is
    /// it taken to end in the past.
    package func likelyEnd(now: Timestamp) -> Timestamp? {
        guard let predictedEnd else { return expectedEnd }
        var end = predictedEnd
        while end <= now {
            let length = end.microseconds - startedAt.microseconds
            let (next, overflow) = end.microseconds.addingReportingOverflow(max(1_000_000, length))
            guard !overflow else { return expectedEnd }
            end = Timestamp(microseconds: next)
        }
        return expectedEnd.map { min(end, $0) } ?? end
    }
}
