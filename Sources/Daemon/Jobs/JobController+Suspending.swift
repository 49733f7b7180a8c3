import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Sandbox
import Scheduling
import Units

// Jobs that stand still. They keep what they hold, so that they can go on at any time; their time limit stands still too.
// The ledger is written first, and a restarted daemon does what is written there.
extension JobController {
    func suspend(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        let stored = try await stored(id)
        try authorise(peer, on: stored.record, to: "suspend")
        let holder: Holder = peer.uid == stored.record.uid ? .owner : .admin
        if stored.record.state == .suspended,
            stored.holder == .plan || (holder == .admin && stored.holder == .owner)
        {
            return try await takeOver(stored, as: holder, from: peer)
        }
        guard let job = live[id], job.state == .running, let process = job.process, job.isLeftAlone else {
            if live[id]?.state == .suspended, stored.holder == .rule {
                throw APIError(
                    .conflict, "job \(id) stands still already: \(stored.record.reason)",
                    hint: "mlctl requeue \(id) gives back what it holds")
            }
            throw APIError(
                .conflict, "job \(id) does not run", hint: "mlctl hold \(id) keeps a job that waits from starting")
        }
        if holder == .owner { try checkAllowance(stored) }
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        let now = Timestamp.now()
        live[id]?.state = .suspended
        do {
            guard try await ledger.suspend(id, by: user.name, as: holder, policyHash: policy.hash, at: now) else {
                throw APIError(.conflict, "job \(id) does not run")
            }
        } catch {
            live[id]?.state = .running
            throw error
        }
        if live[id]?.state == .suspended {
            freeze(id, process)
            await settleShift(id)
            scheduler.expect(id, toEnd: nil)
            if holder == .owner { bound(stored, since: now) }
        }
        await publishState(id)
        return try await record(id)
    }

    /// Lets a suspended job go on. What an admin suspended only an admin may.
    func resume(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        let stored = try await stored(id)
        try authorise(peer, on: stored.record, to: "resume")
        guard live[id]?.state == .suspended, live[id]?.process != nil else {
            throw APIError(.conflict, "job \(id) is not suspended", hint: "mlctl show \(id) says what it does")
        }
        let isAdmin = isAdmin(peer)
        guard stored.holder != .admin || isAdmin else {
            throw APIError(.forbidden, "only an admin may resume a job that an admin suspended", hint: "ask an admin")
        }
        try checkRoom(toResume: id)
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        if stored.holder == .rule || stored.holder == nil {
            guard isAdmin else {
                throw APIError(
                    .forbidden, "only an admin may resume a job that the policy suspends: \(stored.record.reason)",
                    hint: "it goes on by itself when that has passed")
            }
            return try await spare(id, by: user.name)
        }
        let claim = claimCPUs(id)
        do {
            guard
                try await ledger.resume(
                    id, by: user.name, only: isAdmin ? nil : [.owner, .plan], policyHash: policy.hash, at: .now())
            else { throw APIError(.conflict, "job \(id) is not suspended") }
        } catch {
            giveBack(claim, by: id)
            throw error
        }
        await goOn(id, claim)
        return try await record(id)
    }

    /// After the ledger knows.
    func goOn(_ id: JobID, _ claim: CPUClaim) async {
        suspensionEnds[id] = nil
        guard let job = live[id], let process = job.process else { return }
        live[id]?.state = .running
        await settleShift(id)
        await use(claim, by: id)
        thaw(id, process)
        if let limit = job.timeLimit, let began = job.startedAt {
            do {
                let pause = try await self.stored(id).suspendedSeconds
                scheduler.expect(id, toEnd: began.advanced(by: .seconds(limit + pause)))
            } catch {
                // Its limit is its supervisor's to keep; only what waits is planned without knowing when it ends.
                logger.error("nothing is planned by when it ends: \(error)", metadata: ["job": "\(id)"])
            }
        }
        await publishState(id)
        requestPlan()
    }

    /// What its owner suspended an admin may suspend as well: then its owner cannot let it go on. What the plan suspended both
    /// may: then the plan does not.
    private func takeOver(_ stored: StoredJob, as holder: Holder, from peer: Peer) async throws -> JobRecord {
        let id = stored.record.id
        if holder == .owner { try checkAllowance(stored) }
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        let now = Timestamp.now()
        guard try await ledger.suspend(id, by: user.name, as: holder, policyHash: policy.hash, at: now) else {
            throw APIError(.conflict, "job \(id) is not suspended any more", hint: "try again")
        }
        suspensionEnds[id] = nil
        await settleShift(id)
        scheduler.expect(id, toEnd: nil)
        if holder == .owner { bound(stored, since: now) }
        await publishState(id)
        return try await record(id)
    }

    func freeze(_ id: JobID, _ process: Started) {
        do {
            try launcher.freeze(process)
        } catch {
            logger.error("cannot freeze: \(error)", metadata: ["job": "\(id)"])
        }
    }

    func thaw(_ id: JobID, _ process: Started) {
        do {
            try launcher.thaw(process)
        } catch {
            logger.error("cannot thaw: \(error)", metadata: ["job": "\(id)"])
        }
    }
}

extension LiveJob {
    /// Nobody has asked for its end.
    var isLeftAlone: Bool { cancelledBy == nil && requeuedBy == nil }

    /// Who has asked for its end, while it is being ended.
    var endingReason: String? {
        if let user = cancelledBy { return "being ended: cancelled by \(user)" }
        return requeuedBy.map { "being stopped to wait again: requeued by \($0)" }
    }
}
