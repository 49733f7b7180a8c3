import GRDB
package import JobAPI
package import Units

/// Who keeps a queued job from starting, or a suspended one from going on. The number is what the column `held` says; 0 is nobody.
package enum Holder: Int, Sendable {
    case rule = 1
    case owner = 2
    case admin = 3
    /// It stands still until a time that the plan has chosen.
    case plan = 4
}

extension Ledger {
    /// Keeps a queued job from starting until it is released, and writes down who said so.
    /// - Returns: false when the job is not queued, or is held already; what its owner holds an admin may hold as well.
    package func hold(
        _ id: JobID, by user: String, as holder: Holder, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("hold job \(id)") { db in
            let reason = "held by \(user)"
            try db.execute(
                sql: """
                    UPDATE jobs SET held = ?1, reason = ?2
                    WHERE id = ?3 AND state = 'queued' AND (held = 0 OR held = 2 AND ?1 = 3)
                    """, arguments: [holder.rawValue, reason, id.number])
            guard db.changesCount == 1 else { return false }
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "held", reason: reason, rule: nil, policyHash: policyHash)
            return true
        }
    }

    /// Lets a held job run, and writes down who said so.
    /// - Parameter onlyOwners: only what its owner holds.
    /// - Returns: its reason from now on: of one that waits for its time why it does; nil when it is not queued and held.
    package func release(
        _ id: JobID, by user: String, onlyOwners: Bool = false, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> String? {
        try await write("release job \(id)") { db in
            // What a rule holds waits for nothing else that was written down.
            try db.execute(
                sql: """
                    UPDATE jobs SET held = 0, reason = CASE WHEN not_before_us > ?1 AND held <> ?2 THEN (
                        SELECT cause FROM transitions WHERE job_id = jobs.id AND to_state = 'queued'
                        ORDER BY id DESC LIMIT 1) ELSE ?3 END
                    WHERE id = ?4 AND state = 'queued' AND held AND (held = 2 OR NOT ?5)
                    """,
                arguments: [at.microseconds, Holder.rule.rawValue, "released by \(user)", id.number, onlyOwners])
            guard db.changesCount == 1 else { return nil }
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "released", reason: "released by \(user)", rule: nil,
                policyHash: policyHash)
            return try String.fetchOne(db, sql: "SELECT reason FROM jobs WHERE id = ?", arguments: [id.number])
        }
    }
}
