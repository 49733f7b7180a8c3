import JobAPI
import Ledger
import LinuxSystem
import Policy
import Scheduling
import Units

extension JobController {
    /// Keeps a queued job from starting, on its owner's or an admin's word.
    func hold(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        try await inTurn(id) {
            let stored = try await stored(id)
            try authorise(peer, on: stored.record, to: "hold")
            guard let job = scheduler.pendingJob(id) else {
                throw APIError(
                    .conflict, "job \(id) does not wait to be started", hint: "mlctl show \(id) says what it does")
            }
            // What its owner holds an admin may hold as well, so that the owner cannot release it.
            let isRaised = stored.holder == .owner && peer.uid != stored.record.uid
            if job.held, !isRaised {
                throw APIError(.conflict, "job \(id) is held already", hint: "mlctl why \(id) says by whom")
            }
            let user = User.lookup(uid: peer.uid, gid: peer.gid)
            // At once, so that it does not start while that is written down.
            setHeld(id, note: "held by \(user.name)")
            do {
                let holder: Holder = peer.uid == stored.record.uid ? .owner : .admin
                guard try await ledger.hold(id, by: user.name, as: holder, policyHash: policy.hash, at: .now()) else {
                    throw APIError(.conflict, "job \(id) does not wait to be started")
                }
            } catch {
                if job.held { setHeld(id, note: job.note) } else { setFree(id, job.note) }
                throw error
            }
            await publishState(id)
            return try await record(id)
        }
    }

    /// Lets a held job run. What its owner holds its owner may release; all else only an admin.
    func release(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        try await inTurn(id) {
            let stored = try await stored(id)
            try authorise(peer, on: stored.record, to: "release")
            let isNotHeld = APIError(
                .conflict, "job \(id) is not held", hint: "mlctl why \(id) says what it waits for")
            guard let job = scheduler.pendingJob(id), job.held else { throw isNotHeld }
            let isAdmin = isAdmin(peer)
            guard isAdmin || stored.holder == .owner else {
                let holder = stored.holder == .admin ? "an admin" : "policy"
                throw APIError(
                    .forbidden, "only an admin may release a job that \(holder) holds", hint: "ask an admin")
            }
            let user = User.lookup(uid: peer.uid, gid: peer.gid)
            guard
                let reason = try await ledger.release(
                    id, by: user.name, onlyOwners: !isAdmin, policyHash: policy.hash, at: .now())
            else { throw isNotHeld }
            // Its pause goes on, and with it what is said of it.
            setFree(id, job.notBefore == nil ? nil : reason)
            return try await record(id)
        }
    }

    /// Holds and releases of a job come one after the other, so that memory ends up as the ledger did.
    private func inTurn<R>(_ id: JobID, _ body: () async throws -> R) async throws -> R {
        while holding.contains(id) {
            await withCheckedContinuation { waitingToHold[id, default: []].append($0) }
        }
        holding.insert(id)
        defer {
            holding.remove(id)
            for waiter in waitingToHold.removeValue(forKey: id) ?? [] { waiter.resume() }
        }
        return try await body()
    }

    func setHeld(_ id: JobID, note: String?) {
        guard var job = scheduler.pendingJob(id) else { return }
        job.held = true
        job.note = note
        scheduler.add(job)
    }

    /// It may have been cancelled while the ledger was written.
    func setFree(_ id: JobID, _ note: String?) {
        guard var job = scheduler.pendingJob(id) else { return }
        job.held = false
        job.note = note
        scheduler.add(job)
        requestPlan()
    }
}
