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
    /// - Returns: false when the job is not queued and held.
    package func release(
        _ id: JobID, by user: String, onlyOwners: Bool = false, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("release job \(id)") { db in
            let reason = "released by \(user)"
            try db.execute(
                sql: """
                    UPDATE jobs SET held = 0, reason = ?
                    WHERE id = ? AND state = 'queued' AND held AND (held = 2 OR NOT ?)
                    """, arguments: [reason, id.number, onlyOwners])
            guard db.changesCount == 1 else { return false }
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "released", reason: reason, rule: nil, policyHash: policyHash)
            return true
        }
    }
}
