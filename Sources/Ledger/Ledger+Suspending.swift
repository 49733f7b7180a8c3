import GRDB
package import JobAPI
package import Units

extension Ledger {
    /// Writes down that a running job is to stand still, and who said so.
    /// - Parameters:
    ///   - reason: until when and why, where the plan does it.
    ///   - rule: what lets the plan do it.
    /// - Returns: false when it does not run; what its owner suspended an admin may suspend as well, what the plan suspended both.
    package func suspend(
        _ id: JobID, by user: String, as holder: Holder, because reason: String? = nil, rule: String? = nil,
        policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("suspend job \(id)") { db in
            let cause = "suspended by \(user)" + (reason.map { " " + $0 } ?? "")
            if holder != .plan {
                try db.execute(
                    sql: """
                        UPDATE jobs SET held = ?1, reason = ?2, interruptible = 0
                        WHERE id = ?3 AND state = 'suspended' AND (held = 4 OR held = 2 AND ?1 = 3)
                        """, arguments: [holder.rawValue, cause, id.number])
            }
            if holder == .plan || db.changesCount == 0 {
                guard
                    try Self.transition(
                        db, id, to: .suspended, cause: cause, at: at, end: nil, attempt: JobState.suspended.rawValue)
                else { return false }
                // What a person does to it, the plan does not undo.
                try db.execute(
                    sql: "UPDATE jobs SET held = ?1, interruptible = interruptible AND ?1 = 4 WHERE id = ?2",
                    arguments: [holder.rawValue, id.number])
            }
            try Self.recordOwnersSuspension(db, id, until: at)
            if holder == .owner {
                try db.execute(
                    sql: """
                        UPDATE attempts SET owner_since_us = ?1
                        WHERE job_id = ?2 AND number = (SELECT attempt FROM jobs WHERE id = ?2)
                        """, arguments: [at.microseconds, id.number])
            }
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "suspended", reason: cause, rule: rule, policyHash: policyHash
            )
            return true
        }
    }

    /// Writes down that a suspended job goes on.
    /// - Parameters:
    ///   - reason: why, where nobody asked for it.
    ///   - holders: only what one of these suspended; nil for whoever did.
    /// - Returns: false when it is not suspended.
    package func resume(
        _ id: JobID, by user: String, because reason: String? = nil, only holders: Set<Holder>? = nil,
        policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("resume job \(id)") { db in
            let cause = "resumed by \(user)" + (reason.map { ": " + $0 } ?? "")
            let held = try Int.fetchOne(
                db, sql: "SELECT held FROM jobs WHERE id = ? AND state = 'suspended'", arguments: [id.number])
            let mayGoOn = held.map { held in holders?.contains { $0.rawValue == held } ?? true }
            guard mayGoOn == true,
                try Self.transition(
                    db, id, to: .running, cause: cause, at: at, end: nil, attempt: JobState.running.rawValue)
            else { return false }
            if holders != [.plan] {
                try db.execute(sql: "UPDATE jobs SET interruptible = 0 WHERE id = ?", arguments: [id.number])
            }
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "resumed", reason: cause, rule: nil, policyHash: policyHash)
            return true
        }
    }

    /// Writes down that a running job is to stand still because the policy says so.
    /// - Parameters:
    ///   - cause: what says so, for people.
    ///   - rule: its name and place.
    /// - Returns: false when it does not run.
    package func suspend(
        _ id: JobID, because cause: String, rule: String?, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("suspend job \(id)") { db in
            guard
                try Self.transition(
                    db, id, to: .suspended, cause: cause, at: at, end: nil, attempt: JobState.suspended.rawValue)
            else { return false }
            try db.execute(
                sql: "UPDATE jobs SET held = ? WHERE id = ?", arguments: [Holder.rule.rawValue, id.number])
            try Self.insertDecision(
                db, at: at, id: id, user: "mld", decision: "suspended", reason: cause, rule: rule,
                policyHash: policyHash)
            return true
        }
    }

    /// Writes down that a job goes on which the policy had suspended.
    /// - Returns: false when it is not suspended, or by a person.
    package func resume(
        _ id: JobID, because cause: String, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("resume job \(id)") { db in
            let isRules = try Bool.fetchOne(
                db, sql: "SELECT state = 'suspended' AND held = ? FROM jobs WHERE id = ?",
                arguments: [Holder.rule.rawValue, id.number])
            guard isRules == true,
                try Self.transition(
                    db, id, to: .running, cause: cause, at: at, end: nil, attempt: JobState.running.rawValue)
            else { return false }
            try Self.insertDecision(
                db, at: at, id: id, user: "mld", decision: "resumed", reason: cause, rule: nil, policyHash: policyHash)
            return true
        }
    }

    /// An active job has other CPUs now: a daemon that takes it up must know.
    package func move(_ id: JobID, to placement: Placement) async throws(LedgerError) {
        try await write("write down the CPUs of job \(id)") { db in
            try db.execute(
                sql: """
                    UPDATE attempts SET placement = ?
                    WHERE job_id = ? AND number = (SELECT attempt FROM jobs WHERE id = ?) AND ended_us IS NULL
                    """, arguments: [try JSON.text(placement), id.number, id.number])
        }
    }

    /// Since when a suspended job has stood still; nil for any other.
    package func suspendedSince(_ id: JobID) async throws(LedgerError) -> Timestamp? {
        try await read("read the suspension of job \(id)") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT at_us FROM transitions JOIN jobs ON jobs.id = job_id AND state = 'suspended'
                    WHERE job_id = ? AND to_state = 'suspended' ORDER BY transitions.id DESC LIMIT 1
                    """, arguments: [id.number]
            ).map(Timestamp.init(microseconds:))
        }
    }
}
