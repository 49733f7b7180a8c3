import JobAPI
import Ledger
import Logging
import Policy
import Units

// How long an owner may let a job stand still: it keeps what it holds, and its time limit does not run meanwhile.
extension JobController {
    /// - Throws: where the job has stood still as long as its queue allows.
    func checkAllowance(_ stored: StoredJob) throws {
        guard let limit = policy.queue(stored.record.queue)?.maxSuspended, let most = limit.value,
            stored.ownerSuspendedSeconds >= most.seconds
        else { return }
        throw APIError(
            .conflict,
            "job \(stored.record.id) has stood still as long as \(Self.words(stored.record.queue, most, limit))",
            hint: "mlctl requeue \(stored.record.id) gives back what it holds")
    }

    /// Sees to it that a job its owner suspended goes on when its queue says so.
    func bound(_ stored: StoredJob, since: Timestamp) {
        suspensionEnds[stored.record.id] = nil
        guard let most = policy.queue(stored.record.queue)?.maxSuspended.value else { return }
        let end = since.advanced(by: .seconds(max(0, most.seconds - stored.ownerSuspendedSeconds)))
        suspensionEnds[stored.record.id] = end
        wakeUp(at: end)
    }

    /// Holds those that stand still to what the policy says now.
    func boundAnew() async {
        for id in live.keys.sorted() where live[id]?.state == .suspended {
            do {
                let stored = try await stored(id)
                guard let since = stored.ownerSuspendedSince, live[id]?.state == .suspended else { continue }
                bound(stored, since: since)
            } catch {
                logger.error("how long it may stand still is as before: \(error)", metadata: ["job": "\(id)"])
            }
        }
    }

    /// Lets those go on whose time to stand still is over. None is looked at while nobody is suspended.
    func resumeOverdue(now: Timestamp) {
        for (id, end) in suspensionEnds {
            if end <= now { resumeLater(id) } else { wakeUp(at: end) }
        }
    }

    /// Its time to stand still is over.
    func resumeOverdue(_ id: JobID) async {
        guard let job = live[id], job.state == .suspended, let limit = policy.queue(job.queue)?.maxSuspended,
            let most = limit.value
        else {
            suspensionEnds[id] = nil  // It ended, or the policy was changed.
            return
        }
        // Asked again when the job ends that has its CPUs.
        if lacksCPUs(id) { return }
        let claim = claimCPUs(id)
        do {
            let reason = "it has stood still as long as \(Self.words(job.queue, most, limit))"
            let isResumed = try await ledger.resume(
                id, by: "mld", because: reason, only: [.owner], policyHash: policy.hash, at: .now())
            suspensionEnds[id] = nil
            if isResumed { await goOn(id, claim) } else { giveBack(claim, by: id) }
        } catch {
            giveBack(claim, by: id)
            logger.error("cannot let it go on: \(error)", metadata: ["job": "\(id)"])
            wakeUp(at: Timestamp.now().advanced(by: .seconds(5)))
        }
    }

    private static func words(_ queue: String, _ most: Duration, _ limit: Setting<Duration?>) -> String {
        "queue \"\(queue)\" allows, \(most.brief) (queue.\(queue).max-suspended, \(limit.place))"
    }
}
