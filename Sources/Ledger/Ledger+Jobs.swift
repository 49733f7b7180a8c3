import GRDB
package import JobAPI
package import Units

/// A job that policy has admitted, to be written down.
package struct NewJob: Sendable {
    package var spec: JobSpec
    package var user: String
    package var uid: UInt32
    package var gid: UInt32
    package var project: String
    package var queue: String
    package var priority: Int
    package var timeLimit: Double?
    package var held: Bool
    package var notBefore: Timestamp?
    package var reason: String
    package var rule: String?
    package var policyHash: String
    package var submittedAt: Timestamp
    /// What it waits for; what was met already is left out.
    package var after: [Dependency]
    /// When it could have run at once, and what it was expected to draw then; nil where that was not known.
    package var baseline: Baseline?
    /// Under which key its likes are known; 0 for none.
    package var likes: UInt64
    package var leeway: Leeway
    /// The groups its user is in; nil where nobody looked.
    package var groups: [String]?
    /// Under which its submitter sent it; nil where under none.
    package var submission: SubmissionKey?

    package init(
        spec: JobSpec, user: String, uid: UInt32, gid: UInt32, project: String, queue: String, priority: Int,
        timeLimit: Double?, held: Bool, notBefore: Timestamp? = nil, reason: String, rule: String?, policyHash: String,
        submittedAt: Timestamp, after: [Dependency] = [], baseline: Baseline? = nil, likes: UInt64 = 0,
        leeway: Leeway = Leeway(), groups: [String]? = nil, submission: SubmissionKey? = nil
    ) {
        self.spec = spec
        self.user = user
        self.uid = uid
        self.gid = gid
        self.project = project
        self.queue = queue
        self.priority = priority
        self.timeLimit = timeLimit
        self.held = held
        self.notBefore = notBefore
        self.reason = reason
        self.rule = rule
        self.policyHash = policyHash
        self.submittedAt = submittedAt
        self.after = after
        self.baseline = baseline
        self.likes = likes
        self.leeway = leeway
        self.groups = groups
        self.submission = submission
    }
}

/// How a job's process ended, as far as the ledger keeps it.
package struct JobEnd: Sendable {
    package var exitStatus: Int?
    package var signal: Int?
    /// CPU time of all its processes; nil when nobody knows.
    package var cpuMicroseconds: Int64?

    package init(exitStatus: Int? = nil, signal: Int? = nil, cpuMicroseconds: Int64? = nil) {
        self.exitStatus = exitStatus
        self.signal = signal
        self.cpuMicroseconds = cpuMicroseconds
    }
}

extension Ledger {
    /// Writes the job, its first transition and the decision to admit it.
    /// - Returns: its number; the job is on disk.
    /// - Throws: also where its user has submitted something under its key; see ``submission(_:of:)``.
    package func accept(_ job: NewJob) async throws(LedgerError) -> JobID {
        let spec = try Self.text(of: job)
        return try await write("accept the job") { db in
            try Self.insert(db, job, spec: spec, id: nil, place: nil)
        }
    }

    /// Writes the elements of an array, all or none. The array has the number before that of its first element, under which
    /// there is no job.
    /// - Parameter indices: rising, at least one.
    package func accept(
        _ job: NewJob, indices: [Int], limit: Int?
    ) async throws(LedgerError) -> (array: JobID, elements: [JobID]) {
        let spec = try Self.text(of: job)
        return try await write("accept the array") { db in
            let last = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'") ?? 0
            let array = JobID(last + 1)
            var elements: [JobID] = []
            for index in indices {
                var element = job
                if !elements.isEmpty { element.submission = nil }
                elements.append(
                    try Self.insert(
                        db, element, spec: spec, id: elements.isEmpty ? last + 2 : nil,
                        place: (ArrayPlace(id: array, index: index), limit)))
            }
            return (array, elements)
        }
    }

    private static func text(of job: NewJob) throws(LedgerError) -> String {
        do {
            return try JSON.text(job.spec)
        } catch {
            throw LedgerError(.storage, stage: "accept the job", message: "\(error)")
        }
    }

    private static func insert(
        _ db: Database, _ job: NewJob, spec: String, id: Int64?, place: (ArrayPlace, limit: Int?)?
    ) throws -> JobID {
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO jobs (id, name, user, uid, gid, project, queue, priority, kind, spec, state, reason, rule,
                    held, cpus, memory_bytes, gpus, time_limit_s, not_before_us, submitted_us, policy_hash, array_id,
                    array_index, array_limit, after, likes, deadline_us, latest_start_us, interruptible, minimise,
                    defer_rule, user_groups, submission)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                    ?, ?)
                """)
        let after = job.after.map(\.description).joined(separator: ",")
        try insert.execute(arguments: [
            id, job.spec.title, job.user, job.uid, job.gid, job.project, job.queue, job.priority, job.spec.kind, spec,
            job.reason, job.rule, job.held, job.spec.resources.cpus, job.spec.resources.memory.bytes,
            job.spec.resources.gpus, job.timeLimit, job.notBefore?.microseconds, job.submittedAt.microseconds,
            job.policyHash, place?.0.id.number, place?.0.index, place?.limit, after.isEmpty ? nil : after,
            job.likes == 0 ? nil : Int64(bitPattern: job.likes),
            job.leeway.deadline?.microseconds, job.leeway.latestStart?.microseconds, job.leeway.isInterruptible,
            job.leeway.minimise, job.leeway.rule, try job.groups.map { try JSON.text($0) },
            job.submission?.description,
        ])
        let id = JobID(db.lastInsertedRowID)
        if let baseline = job.baseline { try insertBaseline(db, id, baseline) }
        try insertTransition(db, id, .init(at: job.submittedAt, from: nil, to: .queued, cause: job.reason))
        try insertDecision(
            db, at: job.submittedAt, id: id, user: job.user, decision: "accepted", reason: job.reason, rule: job.rule,
            policyHash: job.policyHash)
        return id
    }

    /// Writes down that a submission was refused, and why.
    package func refuse(
        user: String, reason: String, rule: String?, policyHash: String, at: Timestamp
    ) async throws(LedgerError) {
        try await write("record the refusal") { db in
            try Self.insertDecision(
                db, at: at, id: nil, user: user, decision: "refused", reason: reason, rule: rule,
                policyHash: policyHash)
        }
    }

    /// Keeps a policy's text under its hash, so that every decision can be traced to what was in force.
    package func keepPolicy(hash: String, text: String, at: Timestamp) async throws(LedgerError) {
        try await write("keep the policy") { db in try Self.keepPolicy(db, hash: hash, text: text, at: at) }
    }

    static func keepPolicy(_ db: Database, hash: String, text: String, at: Timestamp) throws {
        let last = try Int64.fetchOne(db, sql: "SELECT MAX(applied_us) FROM policies")
        try db.execute(
            sql: "INSERT OR IGNORE INTO policies (hash, applied_us, text) VALUES (?, ?, ?)",
            arguments: [hash, later(at, than: last), text])
    }

    static func insertTransition(_ db: Database, _ id: JobID, _ transition: Transition) throws {
        let insert = try db.cachedStatement(
            sql: "INSERT INTO transitions (job_id, at_us, from_state, to_state, cause) VALUES (?, ?, ?, ?, ?)")
        try insert.execute(arguments: [
            id.number, transition.at.microseconds, transition.from?.rawValue, transition.to.rawValue, transition.cause,
        ])
    }

    static func insertDecision(
        _ db: Database, at: Timestamp, id: JobID?, user: String, decision: String, reason: String, rule: String?,
        policyHash: String
    ) throws {
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO decisions (at_us, job_id, user, decision, reason, rule, policy_hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        try insert.execute(arguments: [at.microseconds, id?.number, user, decision, reason, rule, policyHash])
    }
}
