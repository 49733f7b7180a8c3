import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Sandbox
import Policy
import Scheduling
import Units

extension JobController {
    /// Admits a job, writes it down and queues it.
    /// - Returns: its number; the job is on disk.
    /// - Throws: ``APIError`` with what would pass, or ``LedgerError`` when it cannot be written down.
    func submit(_ spec: JobSpec, from peer: Peer) async throws -> Submitted {
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        try SubmissionCheck.check(spec, mayRead: settings.isSystemMode ? nil : peer.uid)
        var spec = spec
        spec.project = spec.project ?? settings.defaultProject
        try checkPaths(spec, user)
        let now = Timestamp.now()
        let queued = live.values.count { $0.uid == peer.uid && $0.state == .queued }
        let admission = policy.admit(
            spec, by: Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home),
            machine: machine,
            queuedByUser: queued, now: now)
        switch admission {
        case .refused(let refusal):
            try await ledger.refuse(
                user: user.name, reason: refusal.message, rule: refusal.rule?.description, policyHash: policy.hash,
                at: now)
            throw APIError(.refused, refusal.message, hint: refusal.hint)
        case .accepted(let admitted):
            let new = NewJob(
                spec: spec, user: user.name, uid: user.uid, gid: user.gid, project: admitted.project,
                queue: admitted.queue, priority: admitted.priority, timeLimit: admitted.timeLimit,
                held: admitted.held, notBefore: admitted.notBefore, reason: admitted.reason,
                rule: admitted.rule?.description, policyHash: policy.hash, submittedAt: now)
            let id = try await ledger.accept(new)
            // From here on it is on disk, so nothing may fail before it is queued.
            let job = LiveJob(id, new)
            live[id] = job
            scheduler.add(job.pending)
            logger.info("accepted", metadata: ["job": "\(id)", "user": "\(user.name)", "queue": "\(admitted.queue)"])
            requestPlan()
            return Submitted(id: id, state: .queued, reason: scheduler.reason(for: id, now: now)?.text ?? "queued")
        }
    }

    /// The paths a job names, with its user's rights, as its start will see them.
    private func checkPaths(_ spec: JobSpec, _ user: User) throws {
        guard let workdir = spec.sandbox.workdir else { return }
        let profile = Sandbox.SandboxProfile(
            workdir: workdir, readOnly: spec.sandbox.readOnly + (spec.train?.dataPaths ?? []).map(\.path),
            readWrite: spec.sandbox.readWrite, hidden: [state.path, settings.socket])
        let runAs =
            settings.isSystemMode ? Launch.User(uid: user.uid, gid: user.gid, groups: user.groups) : nil
        let launcher = launcher
        let result = Result { () throws(SandboxError) in try launcher.check(profile, runAs: runAs) }
        guard case .failure(let error) = result else { return }
        if error.code == .badProfile {
            throw APIError(.invalidRequest, "\(error)", hint: "the job's sandbox cannot have it; choose another path")
        }
        throw error
    }

    /// Ends a job on its owner's word.
    func cancel(_ id: JobID, from peer: Peer) async throws -> JobRecord {
        guard let stored = try await ledger.job(id) else { throw APIError(.notFound, "there is no job \(id)") }
        try authorise(peer, on: stored.record, to: "cancel")
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        guard let job = live[id], !stored.record.state.isFinal else {
            throw APIError(.conflict, "job \(id) has already ended: \(stored.record.state.rawValue)")
        }
        if job.state == .queued {
            // Out of the scheduler first: while the ledger is written nothing may start it.
            scheduler.remove(id)
            live[id]?.cancelledBy = user.name
            do {
                try await ledger.transition(id, to: .cancelled, cause: "cancelled by \(user.name)", at: .now())
            } catch {
                live[id]?.cancelledBy = nil
                scheduler.add(job.pending)
                throw error
            }
            live[id] = nil
            await publishState(id)
            hub.finish(id)
            requestPlan()
        } else {
            live[id]?.cancelledBy = user.name
            if let process = job.process { stop(id, process) }
            try await ledger.requestCancel(id, by: user.name)
        }
        guard let now = try await ledger.job(id) else { throw APIError(.notFound, "there is no job \(id)") }
        return now.record
    }

    /// Asks a job's supervisor to end it: SIGTERM, its grace time, then the end of everything in its cgroup.
    func stop(_ id: JobID, _ process: Started) {
        do {
            try launcher.stop(process)
        } catch {
            logger.error("cannot stop: \(error)", metadata: ["job": "\(id)"])
        }
    }

    /// The owner, root and the policy's admins may act on a job.
    func authorise(_ peer: Peer, on job: JobRecord, to action: String) throws {
        if peer.uid == job.uid || peer.uid == 0 || isAdmin(peer) { return }
        throw APIError(
            .forbidden, "job \(job.id) belongs to \(job.user); you may not \(action) it",
            hint: "ask its owner or an admin")
    }

    /// In user mode the daemon's own user is its admin.
    func isAdmin(_ peer: Peer) -> Bool {
        if !settings.isSystemMode, peer.uid == geteuid() { return true }
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        return policy.isAdmin(Submitter(uid: user.uid, user: user.name, groups: user.groupNames))
    }
}
