import JobAPI
import Ledger
import LinuxSystem
import Units

extension JobController {
    /// Stops an active job and lets it wait again; of a job that has ended a copy is submitted.
    /// - Returns: the job that waits, which has another number in the second case.
    func requeue(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        let stored = try await stored(id)
        try authorise(peer, on: stored.record, to: "requeue")
        if stored.record.state.isFinal { return try await submitCopy(of: stored, from: peer) }
        guard let job = live[id], job.isLeftAlone else {
            throw APIError(.conflict, "job \(id) waits already or is being ended", hint: "mlctl show \(id)")
        }
        // It would run again at once. One that a rule suspends would be suspended again; to end it is always its owner's.
        guard job.state != .suspended || stored.holder != .admin || isAdmin(peer) else {
            throw APIError(
                .forbidden, "only an admin may requeue a job that an admin suspended",
                hint: "ask an admin; mlctl cancel \(id) ends it")
        }
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        try await preempt(id, by: user.name)
        return try await record(id)
    }

    /// Asks an active job to stop: SIGTERM, on which it can save what it has, then its grace time. Then it waits again.
    func preempt(_ id: JobID, by whom: String) async throws {
        live[id]?.requeuedBy = whom
        do {
            try await ledger.requestRequeue(id, by: whom)
        } catch {
            live[id]?.requeuedBy = nil
            throw error
        }
        // One that is still being started is stopped as soon as there is something to stop.
        if let process = live[id]?.process { stop(id, process) }
    }

    private func submitCopy(of stored: StoredJob, from peer: Peer) async throws -> JobRecord {
        guard peer.uid == stored.record.uid else {
            throw APIError(
                .forbidden, "job \(stored.record.id) has ended; only its owner may submit it again",
                hint: "ask \(stored.record.user)")
        }
        var spec = stored.spec
        // What it waited for is past.
        spec.schedule.after = []
        spec.schedule.notBefore = nil
        spec.schedule.deadline = spec.schedule.deadline.flatMap { $0 > .now() ? $0 : nil }
        guard let place = stored.record.array else {
            return try await record(try await submit(spec, from: peer).id)
        }
        // An element does its own part again, and not that of no one.
        do {
            spec.array = try JobArray("\(place.index)")
        } catch {
            throw APIError(.internalError, "job \(stored.record.reference): \(error)")
        }
        let array = try await submit(spec, from: peer).id
        return try await record(try await resolve(JobReference(array: array, index: place.index)))
    }
}
