import GRDB
package import JobAPI
package import Units

extension Ledger {
    /// Writes down that a running job is to stand still, and who said so.
    /// - Returns: false when it does not run.
    package func suspend(
        _ id: JobID, by user: String, as holder: Holder, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("suspend job \(id)") { db in
            let cause = "suspended by \(user)"
            guard
                try Self.transition(
                    db, id, to: .suspended, cause: cause, at: at, end: nil, attempt: JobState.suspended.rawValue)
            else { return false }
            try db.execute(
                sql: "UPDATE jobs SET held = ? WHERE id = ?", arguments: [holder.rawValue, id.number])
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "suspended", reason: cause, rule: nil, policyHash: policyHash)
            return true
        }
    }

    /// Writes down that a suspended job goes on.
    /// - Parameter onlyOwners: only what its owner suspended.
    /// - Returns: false when it is not suspended.
    package func resume(
        _ id: JobID, by user: String, onlyOwners: Bool = false, policyHash: String, at: Timestamp
    ) async throws(LedgerError) -> Bool {
        try await write("resume job \(id)") { db in
            let cause = "resumed by \(user)"
            let mayGoOn = try Bool.fetchOne(
                db, sql: "SELECT state = 'suspended' AND (held = 2 OR NOT ?) FROM jobs WHERE id = ?",
                arguments: [onlyOwners, id.number])
            guard mayGoOn == true,
                try Self.transition(
                    db, id, to: .running, cause: cause, at: at, end: nil, attempt: JobState.running.rawValue)
            else { return false }
            try Self.insertDecision(
                db, at: at, id: id, user: user, decision: "resumed", reason: cause, rule: nil, policyHash: policyHash)
            return true
        }
    }
}
