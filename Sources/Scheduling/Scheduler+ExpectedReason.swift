import JobAPI
import Units

extension Scheduler {
    /// When the first that waits is expected to start, and how that is known.
    func expected(_ job: PendingJob, _ kept: Reservation?, _ text: String, now: Timestamp) -> WaitReason {
        guard let predicted = kept?.predicted else {
            return WaitReason(
                text + "; no telling when: they have no time limit",
                hint: "it is next: what becomes free is kept for it")
        }
        let isLearned = active.values.contains { other in
            other.predictedEnd != nil && other.likelyEnd(now: now) != other.expectedEnd
        }
        guard isLearned, kept?.isByLimits == false else {
            return WaitReason(
                text + "; expected by \(predicted)",
                hint: "it is next; sooner if those jobs end before their time limits")
        }
        let latest = reservation(for: job, now: now, free: free, isByLimits: true).predicted
        return WaitReason(
            text + "; expected at about \(predicted), an estimate by how long their likes ran",
            hint: "it is next; "
                + (latest.map { "at \($0) time limits end those jobs at the latest" } ?? "they have no time limit"))
    }
}
