import GRDB
package import JobAPI

/// What a submission came to.
package struct EarlierSubmission: Sendable, Hashable {
    /// The job, or the first element of the array.
    package var job: JobID
    package var array: JobID?
    /// How many elements the array has; 1 for a single job.
    package var count: Int
}

extension Ledger {
    /// What the user submitted under that key; nil where nothing was.
    package func submission(
        _ key: SubmissionKey, of uid: UInt32
    ) async throws(LedgerError) -> EarlierSubmission? {
        try await read("look for an earlier submission") { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT id, array_id FROM jobs WHERE uid = ? AND submission = ?",
                arguments: [uid, key.description])
            guard let row else { return nil }
            let array: Int64? = row["array_id"]
            let count = try array.map {
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM jobs WHERE array_id = ?", arguments: [$0]) ?? 0
            }
            return EarlierSubmission(
                job: JobID(row["id"] as Int64), array: array.map { JobID($0) }, count: count ?? 1)
        }
    }
}
