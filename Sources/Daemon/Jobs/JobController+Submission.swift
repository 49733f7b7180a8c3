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
    /// - Parameter key: what was submitted under it before is answered with what it came to then, and nothing is made.
    /// - Returns: its number; the job is on disk.
    /// - Throws: ``APIError`` with what would pass, or ``LedgerError`` when it cannot be written down.
    func submit(_ spec: JobSpec, key: SubmissionKey? = nil, from peer: Peer) async throws -> Submitted {
        if let earlier = try await submitted(under: key, by: peer) { return earlier }
        do { return try await submitAnew(spec, key: key, from: peer) } catch {
            // The same submission may have come twice at once: the ledger takes one, and that may have had the last place there was.
            guard let earlier = try await submitted(under: key, by: peer) else { throw error }
            return earlier
        }
    }

    /// What a submission came to when it was sent before, and how that stands now.
    private func submitted(under key: SubmissionKey?, by peer: Peer) async throws -> Submitted? {
        guard let key, let earlier = try await ledger.submission(key, of: peer.uid),
            let record = try await ledger.job(earlier.job)?.record
        else { return nil }
        return Submitted(
            id: earlier.array ?? earlier.job, state: earlier.array == nil ? record.state : .queued,
            reason: record.reason, elements: earlier.array == nil ? nil : earlier.count)
    }

    private func submitAnew(_ spec: JobSpec, key: SubmissionKey?, from peer: Peer) async throws -> Submitted {
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        let submitter = remember(
            Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home))
        try SubmissionCheck.check(spec, mayRead: settings.isSystemMode ? nil : peer.uid)
        var spec = spec
        spec.project = spec.project ?? settings.defaultProject
        try await checkPaths(spec, user)
        let after = try await unmet(spec.schedule.after)
        let now = Timestamp.now()
        // An array counts with all its elements.
        let array = spec.array
        spec.array = nil
        let count = array?.indices.count ?? 1
        let project = spec.project ?? settings.defaultProject
        switch admission(of: spec, count: count, by: submitter, now: now, in: conditions) {
        case .refused(let refusal):
            try await ledger.refuse(
                user: user.name, reason: refusal.message, rule: refusal.rule?.description, policyHash: policy.hash,
                at: now)
            throw APIError(.refused, refusal.message, hint: refusal.hint)
        case .accepted(let admitted):
            var new = newJob(spec, admitted, user, groups: submitter.groups, after: after, now: now)
            new.submission = key
            // Until they wait, so that others of the same user or project that come meanwhile do not pass the limit.
            submitting[peer.uid, default: 0] += count
            submittingOf[project, default: 0] += count
            defer {
                submitting[peer.uid] = submitting[peer.uid].flatMap { $0 > count ? $0 - count : nil }
                submittingOf[project] = submittingOf[project].flatMap { $0 > count ? $0 - count : nil }
            }
            return try await accept(new, array)
        }
    }

    /// - Returns: the job's or the array's number; it is on disk.
    private func accept(_ new: NewJob, _ array: JobArray?) async throws -> Submitted {
        try checkSize(of: new.spec, array)
        let account = policy.account(user: new.user, project: new.project)
        let flexibility = flexibility(new.leeway, likes: new.likes, timeLimit: new.timeLimit)
        guard let array else {
            let id = try await ledger.accept(new)
            // From here on it is on disk, so nothing may fail before it is queued.
            queue(PendingJob(id, new, on: machine, account: account, flexibility: flexibility))
            logger.debug("accepted", metadata: ["job": "\(id)", "user": "\(new.user)", "queue": "\(new.queue)"])
            return Submitted(id: id, state: .queued, reason: reason(for: id, new))
        }
        let (id, elements) = try await ledger.accept(new, indices: array.indices, limit: array.limit)
        for (element, index) in zip(elements, array.indices) {
            queue(
                PendingJob(
                    element, new, on: machine, account: account, array: ArrayPlace(id: id, index: index),
                    arrayLimit: array.limit,
                    flexibility: flexibility))
        }
        logger.debug("accepted", metadata: ["array": "\(id)", "user": "\(new.user)", "queue": "\(new.queue)"])
        let reason = elements.first.map { self.reason(for: $0, new) } ?? new.reason
        return Submitted(id: id, state: .queued, reason: reason, elements: elements.count)
    }

    /// Each element has its own description in the ledger.
    private static let largestArrayBytes = 16 << 20

    private func checkSize(of spec: JobSpec, _ array: JobArray?) throws {
        guard let array else { return }
        let bytes = try JSON.encode(spec).count
        guard bytes <= Self.largestArrayBytes / array.indices.count else {
            throw APIError(
                .tooLarge,
                "\(array.indices.count) jobs of a description of \(bytes) bytes are more than"
                    + " \(Self.largestArrayBytes >> 20) MiB",
                hint: "put what they need into a file they read, or submit fewer")
        }
    }

    func queue(_ job: PendingJob) {
        scheduler.add(job)
        waitForOthers(job)
        requestPlan()
    }

    /// What keeps it, where that costs nothing to tell: where many wait it is asked for with `why`.
    private func reason(for id: JobID, _ new: NewJob) -> String {
        let reason = scheduler.reason(for: id, now: new.submittedAt)?.text ?? "queued"
        let note = whyNotDeferred(new.leeway, likes: new.likes, timeLimit: new.timeLimit)
        return reason + (note.map { "; \($0)" } ?? "")
    }

    /// The paths a job names, with its user's rights, as its start will see them.
    private func checkPaths(_ spec: JobSpec, _ user: User) async throws {
        // A queue that does not exist is refused by the policy.
        let rules = sandboxRules(ofQueue: spec.queue ?? policy.defaultQueue?.name ?? "")
        // One without a directory of its own works where its output goes, which is not there yet.
        let workdir = spec.sandbox.workdir ?? state.path
        let profile = Sandbox.SandboxProfile(
            workdir: workdir, readOnly: spec.sandbox.readOnly + (spec.train?.dataPaths ?? []).map(\.path),
            readWrite: spec.sandbox.readWrite, readOnlyUnder: rules.readOnly.value,
            readWriteUnder: rules.readWrite.value, home: user.home, hidden: hiddenPaths,
            outputDirectory: spec.sandbox.workdir == nil ? state.path : nil)
        let runAs =
            settings.isSystemMode ? Launch.User(uid: user.uid, gid: user.gid, groups: user.groups) : nil
        guard case .failure(let error) = await resolve(profile, runAs: runAs, for: user.uid) else { return }
        guard error.code == .badProfile else { throw error }
        throw APIError(
            .invalidRequest, "\(error)",
            hint: error.isTransient
                ? "submit it again, or leave out paths on file systems that do not answer"
                : "the job's sandbox cannot have it; choose another path")
    }

    /// The owner, root and the policy's admins may act on a job.
    func authorise(_ peer: Peer, on job: JobRecord, to action: String) throws {
        if peer.uid == job.uid || peer.uid == 0 || isAdmin(peer) { return }
        throw APIError(
            .forbidden, "job \(job.id) belongs to \(job.user); you may not \(action) it",
            hint: "ask its owner or an admin")
    }

    /// In user mode the daemon's own user is its admin.
    func isAdmin(_ peer: Peer) -> Bool { isOwnUser(peer) || policy.isAdmin(submitter(peer)) }

    /// Whether the policy's `[access]` lets the peer do this.
    func may(_ action: AccessAction, _ peer: Peer) -> Bool {
        isOwnUser(peer) || policy.mayRun(action, submitter(peer)).isAllowed
    }

    /// - Throws: what keeps the peer from it, with the key and its line.
    func check(_ action: AccessAction, _ peer: Peer) throws {
        guard !isOwnUser(peer), let refusal = policy.mayRun(action, submitter(peer)).refusal else { return }
        throw APIError(.forbidden, refusal.message, hint: refusal.hint)
    }

    private func isOwnUser(_ peer: Peer) -> Bool { !settings.isSystemMode && peer.uid == geteuid() }

    private func submitter(_ peer: Peer) -> Submitter {
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        return Submitter(uid: user.uid, user: user.name, groups: user.groupNames)
    }
}
