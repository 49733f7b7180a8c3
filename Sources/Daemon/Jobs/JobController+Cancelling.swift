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
                // What it waits for may have ended meanwhile.
                waitForOthers(job)
                requestPlan()
                throw error
            }
            forgetDependencies(of: job)
            failedStarts[id] = nil
            await publishState(id)
            hub.finish(id)
            settleDependents(of: id, in: job.array)
            await notify(id)
            requestPlan()
        } else if let job = live[id] {
            live[id]?.cancelledBy = user.name
            do {
                // First: it must not be taken for one that was stopped from outside.
                try await ledger.requestCancel(id, by: user.name)
            } catch {
                // A full disk is no reason to let it run on; while this daemon lives it is known as cancelled.
                logger.error("\(error)", metadata: ["job": "\(id)"])
            }
            if let process = live[id]?.process ?? job.process { stop(id, process) }
        } else {
            let isOver = stored.record.state.isFinal
            throw APIError(
                .conflict,
                isOver ? "job \(id) has already ended: \(stored.record.state.rawValue)" : "job \(id) is being ended",
                hint: isOver ? nil : "mlctl show \(id) says how it stands")
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
