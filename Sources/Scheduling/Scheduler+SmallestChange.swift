package import JobAPI
package import Units
import Policy

extension Scheduler {
    /// With more waiting nobody is told what would help: each question is asked of a copy of the queue.
    static let mostForChanges = 5000

    /// Whether a job that waits would start now if it were as given, and all else as it is: asked of the planner itself.
    package func wouldStart(_ changed: PendingJob, now: Timestamp) -> Bool {
        guard pendingCount <= Self.mostForChanges else { return false }
        var other = self
        other.add(changed)
        return other.plan(now: now).starts.contains(changed.id)
    }

    /// The smallest change of its request with which a job that waits would start now, in words; nil where it starts anyway, is not
    /// free to, or where no single change would do.
    ///
    /// Worked out when asked: some thirty plans at most.
    package func smallestChange(for id: JobID, now: Timestamp) -> String? {
        guard let job = pending[id], job.isFree, !isWaitingForItsTime(job), pendingCount <= Self.mostForChanges,
            !wouldStart(job, now: now)
        else { return nil }
        let words =
            shorter(job, now: now) ?? fewerCPUs(job, now: now) ?? lessMemory(job, now: now)
            ?? otherGPUs(job, now: now) ?? fewerGPUs(job, now: now)
        return words.map { "with \($0) it would start now" }
    }

    private func shorter(_ job: PendingJob, now: Timestamp) -> String? {
        let limit = job.timeLimit ?? 365 * 86_400
        let minutes = most(Int(min(limit, 1e9) / 60) - (limit.truncatingRemainder(dividingBy: 60) == 0 ? 1 : 0)) {
            var changed = job
            changed.timeLimit = Double($0) * 60
            return wouldStart(changed, now: now)
        }
        return minutes.map { "a time limit of at most \(Duration.seconds($0 * 60).brief)" }
    }

    private func fewerCPUs(_ job: PendingJob, now: Timestamp) -> String? {
        most(job.request.cpus - 1) {
            var changed = job
            changed.request.cpus = $0
            return wouldStart(changed, now: now)
        }.map { "\(counted($0, "cpu")) instead of \(job.request.cpus)" }
    }

    private func lessMemory(_ job: PendingJob, now: Timestamp) -> String? {
        let mebibyte: Int64 = 1 << 20
        return most(Int(clamping: job.request.memory.bytes / mebibyte) - 1) {
            var changed = job
            changed.request.memory = .mebibytes(Int64($0))
            return wouldStart(changed, now: now)
        }.map { "\(ByteSize.mebibytes(Int64($0))) of memory instead of \(job.request.memory)" }
    }

    /// Less of their memory, together with others, or another model.
    private func otherGPUs(_ job: PendingJob, now: Timestamp) -> String? {
        let card = job.request.card
        guard job.request.gpus > 0, !cards.isEmpty else { return nil }
        func starts(_ change: (inout CardNeed) -> Void) -> Bool {
            var changed = job
            change(&changed.request.card)
            return changed.request.card != card && wouldStart(changed, now: now)
        }
        let less = most(Int(card.mebibytes) - 1) { mebibytes in starts { $0.mebibytes = UInt32(clamping: mebibytes) } }
        if let less { return "\(ByteSize.mebibytes(Int64(less))) of gpu memory instead of \(card.memory)" }
        if card.mebibytes > 0, !card.mayShare, starts({ $0.mayShare = true }) { return "gpus that it shares" }
        if card.models != .max, starts({ $0.models = .max }) { return "gpus of any model" }
        return nil
    }

    private func fewerGPUs(_ job: PendingJob, now: Timestamp) -> String? {
        guard job.request.gpus > 0 else { return nil }
        return most(job.request.gpus - 1, least: 0) {
            var changed = job
            changed.request.gpus = $0
            return wouldStart(changed, now: now)
        }.map { $0 == 0 ? "no gpu" : "\(counted($0, "gpu")) instead of \(job.request.gpus)" }
    }

    /// The largest number up to `limit` with which it would start, by bisection: what starts with more starts with less.
    private func most(_ limit: Int, least: Int = 1, _ starts: (Int) -> Bool) -> Int? {
        guard limit >= least, starts(least) else { return nil }
        var (low, high) = (least, limit)
        while low < high {
            let middle = low + (high - low + 1) / 2
            if starts(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
