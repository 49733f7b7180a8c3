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

    package init(
        spec: JobSpec, user: String, uid: UInt32, gid: UInt32, project: String, queue: String, priority: Int,
        timeLimit: Double?, held: Bool, notBefore: Timestamp? = nil, reason: String, rule: String?, policyHash: String,
        submittedAt: Timestamp
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
    package func accept(_ job: NewJob) async throws(LedgerError) -> JobID {
        try await write("accept the job") { db in
            try db.execute(
                sql: """
                    INSERT INTO jobs (name, user, uid, gid, project, queue, priority, kind, spec, state, reason, rule,
                        held, cpus, memory_bytes, gpus, time_limit_s, not_before_us, submitted_us,
                        policy_hash)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    job.spec.title, job.user, job.uid, job.gid, job.project, job.queue, job.priority, job.spec.kind,
                    try JSON.text(job.spec), job.reason, job.rule, job.held, job.spec.resources.cpus,
                    job.spec.resources.memory.bytes, job.spec.resources.gpus, job.timeLimit,
                    job.notBefore?.microseconds, job.submittedAt.microseconds, job.policyHash,
                ])
            let id = JobID(db.lastInsertedRowID)
            try Self.insertTransition(
                db, id, .init(at: job.submittedAt, from: nil, to: .queued, cause: job.reason))
            try Self.insertDecision(
                db, at: job.submittedAt, id: id, user: job.user, decision: "accepted", reason: job.reason,
                rule: job.rule, policyHash: job.policyHash)
            return id
        }
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

    /// Moves a job to another state.
    ///
    /// Idempotent on restart: a transition that the state diagram does not allow from what is on disk is refused, so a job
    /// that ended cannot be ended twice.
    /// - Returns: false when the job was not in a state from which `to` may follow; nothing was written then.
    @discardableResult
    package func transition(
        _ id: JobID, to state: JobState, cause: String, at: Timestamp, end: JobEnd? = nil
    ) async throws(LedgerError) -> Bool {
        try await write("record that job \(id) is \(state.rawValue)") { db in
            guard
                let text = try String.fetchOne(db, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [id.number]),
                let from = JobState(rawValue: text), from.successors.contains(state)
            else { return false }
            try db.execute(
                sql: """
                    UPDATE jobs SET state = ?1, reason = ?2,
                        ended_us = CASE WHEN ?3 THEN ?4 ELSE NULL END, exit_status = ?5, signal = ?6
                    WHERE id = ?7
                    """,
                arguments: [
                    state.rawValue, cause, state.isFinal, at.microseconds, end?.exitStatus, end?.signal, id.number,
                ])
            if state.isFinal || state == .queued {
                try db.execute(
                    sql: """
                        UPDATE attempts SET ended_us = ?
                        WHERE job_id = ? AND number = (SELECT attempt FROM jobs WHERE id = ?) AND ended_us IS NULL
                        """,
                    arguments: [at.microseconds, id.number, id.number])
                try Self.recordLosses(db, id, from: from, to: state, cpuMicroseconds: end?.cpuMicroseconds)
            }
            try Self.insertTransition(db, id, .init(at: at, from: from, to: state, cause: cause))
            return true
        }
    }

    /// Writes down that somebody wants an active job to end, so that a restarted daemon still ends it.
    package func requestCancel(_ id: JobID, by user: String) async throws(LedgerError) {
        try await write("record the cancelling of job \(id)") { db in
            try db.execute(
                sql: "UPDATE jobs SET cancelled_by = ? WHERE id = ? AND ended_us IS NULL", arguments: [user, id.number])
        }
    }

    /// Begins the next attempt: state `starting`, on disk before any process exists.
    /// - Returns: the attempt's number, or nil when the job is not queued any more.
    package func beginAttempt(_ id: JobID, bootID: String, at: Timestamp) async throws(LedgerError) -> Int? {
        try await write("start job \(id)") { db in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT state, attempt FROM jobs WHERE id = ?", arguments: [id.number]),
                row["state"] == JobState.queued.rawValue
            else { return nil }
            let number: Int = row["attempt"] + 1
            try db.execute(
                sql: """
                    UPDATE jobs SET state = 'starting', reason = 'starting', attempt = ?1,
                        started_us = COALESCE(started_us, ?2)
                    WHERE id = ?3
                    """,
                arguments: [number, at.microseconds, id.number])
            try db.execute(
                sql: "INSERT INTO attempts (job_id, number, started_us, boot_id) VALUES (?, ?, ?, ?)",
                arguments: [id.number, number, at.microseconds, bootID])
            try Self.insertTransition(
                db, id, .init(at: at, from: .queued, to: .starting, cause: "resources are free, attempt \(number)"))
            return number
        }
    }

    /// Writes down the process of an attempt, so that a restarted daemon can adopt it, and moves the job to `running`.
    package func recordProcess(
        _ id: JobID, attempt: Int, pid: Int32, startTime: UInt64, cgroup: String?, enforced: [String], at: Timestamp
    ) async throws(LedgerError) {
        try await write("record the process of job \(id)") { db in
            try db.execute(
                sql: """
                    UPDATE attempts SET supervisor_pid = ?, supervisor_start = ?, cgroup = ?, enforced = ?
                    WHERE job_id = ? AND number = ?
                    """,
                arguments: [
                    pid, Int64(clamping: startTime), cgroup, try JSON.text(enforced), id.number, attempt,
                ])
            try db.execute(
                sql: "UPDATE jobs SET state = 'running', reason = 'running' WHERE id = ? AND state = 'starting'",
                arguments: [id.number])
            guard db.changesCount == 1 else { return }
            try Self.insertTransition(db, id, .init(at: at, from: .starting, to: .running, cause: "started"))
        }
    }

    /// Keeps a policy's text under its hash, so that every decision can be traced to what was in force.
    package func keepPolicy(hash: String, text: String, at: Timestamp) async throws(LedgerError) {
        try await write("keep the policy") { db in
            let last = try Int64.fetchOne(db, sql: "SELECT MAX(applied_us) FROM policies")
            try db.execute(
                sql: "INSERT OR IGNORE INTO policies (hash, applied_us, text) VALUES (?, ?, ?)",
                arguments: [hash, Self.later(at, than: last), text])
        }
    }

    static func insertTransition(_ db: Database, _ id: JobID, _ transition: Transition) throws {
        try db.execute(
            sql: "INSERT INTO transitions (job_id, at_us, from_state, to_state, cause) VALUES (?, ?, ?, ?, ?)",
            arguments: [
                id.number, transition.at.microseconds, transition.from?.rawValue, transition.to.rawValue,
                transition.cause,
            ])
    }

    static func insertDecision(
        _ db: Database, at: Timestamp, id: JobID?, user: String, decision: String, reason: String, rule: String?,
        policyHash: String
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO decisions (at_us, job_id, user, decision, reason, rule, policy_hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [at.microseconds, id?.number, user, decision, reason, rule, policyHash])
    }
}
