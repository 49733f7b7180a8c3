import GRDB
package import JobAPI
package import Units

extension Ledger {
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
            try Self.transition(db, id, to: state, cause: cause, at: at, end: end, attempt: state.rawValue)
        }
    }

    /// How an attempt that is not the job's last ended.
    package struct Requeue: Sendable {
        /// Why it waits again, and what ended.
        package var cause: String
        /// How the attempt ended: `failed`, `lost`, `preempted`, `not-started`.
        package var attempt: String
        /// Start no earlier than this.
        package var notBefore: Timestamp?
        /// It is one of the retries its user allowed.
        package var isRetry: Bool
        package var end: JobEnd?

        package init(
            cause: String, attempt: String, notBefore: Timestamp? = nil, isRetry: Bool = false, end: JobEnd? = nil
        ) {
            self.cause = cause
            self.attempt = attempt
            self.notBefore = notBefore
            self.isRetry = isRetry
            self.end = end
        }
    }

    /// Lets an active job wait again.
    /// - Returns: false when it is not active; nothing was written then.
    @discardableResult
    package func requeue(_ id: JobID, _ requeue: Requeue, at: Timestamp) async throws(LedgerError) -> Bool {
        try await write("queue job \(id) again") { db in
            guard
                try Self.transition(
                    db, id, to: .queued, cause: requeue.cause, at: at, end: requeue.end, attempt: requeue.attempt)
            else { return false }
            try db.execute(
                sql: """
                    UPDATE jobs SET not_before_us = COALESCE(?, not_before_us), retried = retried + ?,
                        requeued_by = NULL, exit_status = NULL, signal = NULL WHERE id = ?
                    """, arguments: [requeue.notBefore?.microseconds, requeue.isRetry ? 1 : 0, id.number])
            try Self.holdRestored(db, id, at: at)
            return true
        }
    }

    static func transition(
        _ db: Database, _ id: JobID, to state: JobState, cause: String, at: Timestamp, end: JobEnd?, attempt: String
    ) throws -> Bool {
        let find = try db.cachedStatement(sql: "SELECT state FROM jobs WHERE id = ?")
        guard let text = try String.fetchOne(find, arguments: [id.number]), let from = JobState(rawValue: text),
            from.successors.contains(state)
        else { return false }
        try db.cachedStatement(
            sql: """
                UPDATE jobs SET state = ?1, reason = ?2,
                    ended_us = CASE WHEN ?3 THEN ?4 ELSE NULL END, exit_status = ?5, signal = ?6
                WHERE id = ?7
                """
        ).execute(arguments: [
            state.rawValue, cause, state.isFinal, at.microseconds, end?.exitStatus, end?.signal, id.number,
        ])
        if from == .suspended {
            try recordSuspension(db, id, until: at)
            try db.execute(sql: "UPDATE jobs SET held = 0 WHERE id = ?", arguments: [id.number])
        }
        if from.isActive, state.isFinal || state == .queued {
            try db.cachedStatement(
                sql: """
                    UPDATE attempts SET ended_us = ?, outcome = ?
                    WHERE job_id = ? AND number = (SELECT attempt FROM jobs WHERE id = ?) AND ended_us IS NULL
                    """
            ).execute(arguments: [at.microseconds, attempt, id.number, id.number])
            try recordLosses(db, id, from: from, to: state, cpuMicroseconds: end?.cpuMicroseconds)
        }
        try insertTransition(db, id, .init(at: at, from: from, to: state, cause: cause))
        if state.isFinal { try recordSavings(db, id, at: at) }
        return true
    }

    /// The time of which a time limit knows nothing.
    private static func recordSuspension(_ db: Database, _ id: JobID, until: Timestamp) throws {
        let since = try Int64.fetchOne(
            db,
            sql: "SELECT at_us FROM transitions WHERE job_id = ? AND to_state = 'suspended' ORDER BY id DESC LIMIT 1",
            arguments: [id.number])
        guard let since else { return }
        try db.execute(
            sql: """
                UPDATE attempts SET suspended_us = suspended_us + ?
                WHERE job_id = ? AND number = (SELECT attempt FROM jobs WHERE id = ?)
                """, arguments: [max(0, until.microseconds.subtractingSaturating(since)), id.number, id.number])
        try recordOwnersSuspension(db, id, until: until)
    }

    /// What of it was its owner's doing ends: it goes on, or an admin has taken it over.
    static func recordOwnersSuspension(_ db: Database, _ id: JobID, until: Timestamp) throws {
        let attempt = "job_id = ?1 AND number = (SELECT attempt FROM jobs WHERE id = ?1)"
        let since = try Int64.fetchOne(
            db, sql: "SELECT owner_since_us FROM attempts WHERE \(attempt)", arguments: [id.number])
        guard let since else { return }
        try db.execute(
            sql: """
                UPDATE attempts SET owner_suspended_us = owner_suspended_us + ?2, owner_since_us = NULL WHERE \(attempt)
                """, arguments: [id.number, max(0, until.microseconds.subtractingSaturating(since))])
    }

    /// Writes down that somebody wants an active job to end, so that a restarted daemon still ends it.
    package func requestCancel(_ id: JobID, by user: String) async throws(LedgerError) {
        try await write("record the cancelling of job \(id)") { db in
            try db.execute(
                sql: "UPDATE jobs SET cancelled_by = ? WHERE id = ? AND ended_us IS NULL", arguments: [user, id.number])
        }
    }

    /// Writes down that somebody wants an active job to stop and to wait again.
    package func requestRequeue(_ id: JobID, by user: String) async throws(LedgerError) {
        try await write("record that job \(id) is to wait again") { db in
            try db.execute(
                sql: """
                    UPDATE jobs SET requeued_by = ?
                    WHERE id = ? AND state IN ('starting', 'running', 'suspended')
                    """, arguments: [user, id.number])
        }
    }

    /// Begins the next attempt: state `starting`, on disk before any process exists.
    /// - Parameter placement: which CPUs and GPUs it holds; a daemon that takes it up must know.
    /// - Returns: the attempt's number, or nil when the job is not queued any more, or is held.
    package func beginAttempt(
        _ id: JobID, bootID: String, placement: Placement? = nil, at: Timestamp
    ) async throws(LedgerError) -> Int? {
        try await write("start job \(id)") { db in
            let find = try db.cachedStatement(sql: "SELECT state, attempt, held FROM jobs WHERE id = ?")
            guard let row = try Row.fetchOne(find, arguments: [id.number]), row["state"] == JobState.queued.rawValue,
                row["held"] == 0
            else { return nil }
            let number: Int = row["attempt"] + 1
            try db.cachedStatement(
                sql: """
                    UPDATE jobs SET state = 'starting', reason = 'starting', attempt = ?1,
                        started_us = COALESCE(started_us, ?2)
                    WHERE id = ?3
                    """
            ).execute(arguments: [number, at.microseconds, id.number])
            try db.cachedStatement(
                sql: "INSERT INTO attempts (job_id, number, started_us, boot_id, placement) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [
                id.number, number, at.microseconds, bootID, try placement.map { try JSON.text($0) },
            ])
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
            try db.cachedStatement(
                sql: """
                    UPDATE attempts SET supervisor_pid = ?, supervisor_start = ?, cgroup = ?, enforced = ?
                    WHERE job_id = ? AND number = ?
                    """
            ).execute(arguments: [
                pid, Int64(clamping: startTime), cgroup, try JSON.text(enforced), id.number, attempt,
            ])
            try db.cachedStatement(
                sql: "UPDATE jobs SET state = 'running', reason = 'running' WHERE id = ? AND state = 'starting'"
            ).execute(arguments: [id.number])
            guard db.changesCount == 1 else { return }
            try Self.insertTransition(db, id, .init(at: at, from: .starting, to: .running, cause: "started"))
        }
    }
}
