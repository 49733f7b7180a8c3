import JobAPI
import Ledger
import LinuxSystem
import Logging
import Sandbox
import Scheduling
import Units

extension JobController {
    /// Ends a job on its owner's word.
    func cancel(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        let stored = try await stored(id)
        try authorise(peer, on: stored.record, to: "cancel")
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        if let job = scheduler.pendingJob(id) {
            // Out of the scheduler first: while the ledger is written nothing may start it.
            scheduler.remove(id)
            do {
                try await ledger.transition(id, to: .cancelled, cause: "cancelled by \(user.name)", at: .now())
            } catch {
                scheduler.add(job)
                throw error
            }
            forgetDependencies(of: job)
            failedStarts[id] = nil
            await publishState(id)
            hub.finish(id)
            settleDependents(of: id, in: job.array?.id)
            await notify(id)
            requestPlan()
        } else if let job = live[id] {
            live[id]?.cancelledBy = user.name
            if let process = job.process { stop(id, process) }
            try await ledger.requestCancel(id, by: user.name)
        } else {
            throw APIError(.conflict, "job \(id) has already ended: \(stored.record.state.rawValue)")
        }
        return try await record(id)
    }

    /// Asks a job's supervisor to end it: SIGTERM, its grace time, then the end of everything in its cgroup.
    func stop(_ id: JobID, _ process: Started) {
        do {
            try launcher.stop(process)
        } catch {
            logger.error("cannot stop: \(error)", metadata: ["job": "\(id)"])
        }
    }
}
