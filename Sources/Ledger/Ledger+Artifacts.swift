import GRDB
package import JobAPI

extension Ledger {
    /// What the kind of a file is called that a job left in its output directory and did not report itself.
    package static let outputKind = "output"

    /// Keeps the files an attempt left, with their sizes. What the job reported is given its size only; told again, it is kept once.
    package func recordOutput(_ id: JobID, attempt: Int, files: [Artifact]) async throws(LedgerError) {
        try await write("keep the artifacts of job \(id)") { db in
            try db.execute(
                sql: "DELETE FROM artifacts WHERE job_id = ? AND attempt = ? AND kind = ?",
                arguments: [id.number, attempt, Self.outputKind])
            for file in files {
                try db.execute(
                    sql: "UPDATE artifacts SET bytes = ? WHERE job_id = ? AND attempt = ? AND path = ?",
                    arguments: [file.bytes, id.number, attempt, file.path])
                if db.changesCount > 0 { continue }
                try db.execute(
                    sql: "INSERT INTO artifacts (job_id, attempt, kind, path, bytes) VALUES (?, ?, ?, ?, ?)",
                    arguments: [id.number, attempt, Self.outputKind, file.path, file.bytes])
            }
        }
    }

    /// Of the last attempt, in the order they were reported and found.
    package func artifacts(of id: JobID) async throws(LedgerError) -> [Artifact] {
        try await read("read the artifacts of job \(id)") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT kind, path, bytes FROM artifacts
                    WHERE job_id = ?1 AND attempt = (SELECT attempt FROM jobs WHERE id = ?1) ORDER BY rowid
                    """, arguments: [id.number]
            ).map { Artifact(kind: $0["kind"], path: $0["path"], bytes: $0["bytes"]) }
        }
    }
}
