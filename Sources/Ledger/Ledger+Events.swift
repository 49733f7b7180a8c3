import GRDB
package import JobAPI
package import Units

extension Ledger {
    /// Keeps what a job reported about itself, all or none.
    /// - Parameters:
    ///   - completed: epochs and samples done so far, for joules per epoch and per sample.
    ///   - isCheckpointed: what the attempt did so far is safe on disk; its energy must be booked by now.
    ///   - offset: up to where the job's event file has been read, so that a restarted daemon keeps nothing twice.
    /// - Returns: false when the attempt has ended; nothing was written then: what it came to is final.
    @discardableResult
    package func recordEvents(
        _ id: JobID, attempt: Int, at: Timestamp, metrics: [Metric], artifacts: [Artifact], progress: Progress?,
        completed: (epochs: Int, samples: Int)?, isCheckpointed: Bool = false, offset: Int64
    ) async throws(LedgerError) -> Bool {
        try await write("keep the events of job \(id)") { db in
            let hasEnded = try Bool.fetchOne(
                db, sql: "SELECT ended_us IS NOT NULL FROM attempts WHERE job_id = ? AND number = ?",
                arguments: [id.number, attempt])
            if hasEnded == true { return false }
            for metric in metrics {
                try db.execute(
                    sql: "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        id.number, attempt, at.microseconds, metric.name, metric.split,
                        metric.value.isFinite ? metric.value : nil, metric.epoch,
                    ])
            }
            for artifact in artifacts {
                try db.execute(
                    sql: "INSERT INTO artifacts (job_id, attempt, kind, path) VALUES (?, ?, ?, ?)",
                    arguments: [id.number, attempt, artifact.kind, artifact.path])
            }
            try db.execute(
                sql: "UPDATE attempts SET events_offset = ? WHERE job_id = ? AND number = ?",
                arguments: [offset, id.number, attempt])
            if isCheckpointed {
                try db.execute(
                    sql: "UPDATE attempts SET checkpoint_us = ?, checkpoint_uj = ? WHERE job_id = ? AND number = ?",
                    arguments: [
                        at.microseconds, try Self.energy(db, id, attempt: attempt).total, id.number, attempt,
                    ])
            }
            if let progress {
                try db.execute(
                    sql: """
                        UPDATE attempts SET progress = ?, epochs = COALESCE(?, epochs), samples = COALESCE(?, samples)
                        WHERE job_id = ? AND number = ?
                        """,
                    arguments: [
                        try JSON.text(progress), completed?.epochs, completed?.samples, id.number, attempt,
                    ])
            }
            return true
        }
    }

    /// The metrics of the last attempt, in the order they were reported.
    package func metrics(of id: JobID) async throws(LedgerError) -> [Metric] {
        try await read("read the metrics of job \(id)") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT name, split, value, epoch FROM metrics
                    WHERE job_id = ?1 AND attempt = (SELECT attempt FROM jobs WHERE id = ?1) ORDER BY rowid
                    """, arguments: [id.number]
            ).map { row in
                let value: Double? = row["value"]
                return Metric(
                    name: row["name"], split: row["split"], value: value ?? .nan, epoch: row["epoch"])
            }
        }
    }
}
