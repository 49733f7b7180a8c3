import GRDB
import Glibc
package import JobAPI
package import Units

/// What a copy of the ledger turned out to be.
package struct LedgerCopy: Sendable {
    package var path: String
    package var bytes: Int64
    /// The schema's version, `v8`.
    package var schema: String
    /// Nil for a schema that is not this release's, which only a later `mld` can have changed: nobody here can recompute it.
    package var audit: AuditReport?
}

extension Ledger {
    /// Copies the ledger of a daemon that may be running into one file, and recomputes everything in the copy.
    ///
    /// - Throws: where the copy cannot be made. What the audit finds is no error here: a copy of a ledger that was tampered with is
    ///   better than none, and the caller says so.
    package static func backUp(
        _ path: String, to destination: String, patience: Double = 30, now: Timestamp
    ) throws(LedgerError) -> LedgerCopy {
        guard access(path, F_OK) == 0 else { throw LedgerFile.failure("open \(path)") }
        do {
            let source = try LedgerFile.reader(path, patience: patience)
            guard try source.read({ try LedgerFile.schema($0) }) != nil else {
                throw LedgerError(.storage, stage: "open \(path)", message: "it is no ledger")
            }
            try LedgerFile.copy(source, to: destination)
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(error, stage: "open \(path)", path: path)
        }
        return try examine(destination, now: now)
    }

    /// Looks into a copy, which must not be in use: whether the file is whole, and what its audit says.
    package static func examine(_ path: String, now: Timestamp) throws(LedgerError) -> LedgerCopy {
        var status = stat()
        guard stat(path, &status) == 0 else { throw LedgerFile.failure("open \(path)") }
        do {
            let copy = try LedgerFile.reader(path)
            return try copy.read { db in
                if let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)"), problem != "ok" {
                    throw LedgerError(.storage, stage: "read \(path)", message: "the file is damaged: \(problem)")
                }
                guard let schema = try LedgerFile.schema(db) else {
                    throw LedgerError(.storage, stage: "read \(path)", message: "it is no ledger")
                }
                if try Migrations.all.hasBeenSuperseded(db) {
                    throw LedgerError(.newer, stage: "read \(path)", message: "it was written by a newer release")
                }
                let isOurs = try Migrations.all.hasCompletedMigrations(db)
                return LedgerCopy(
                    path: path, bytes: Int64(status.st_size), schema: schema,
                    audit: isOurs ? try audit(db, now: now) : nil)
            }
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(error, stage: "read \(path)", path: path)
        }
    }

    /// Keeps the ledger as it was before its schema changes, beside it as `ledger.db.v7.backup`; one of the same schema that was made
    /// before is replaced. Without room for it nothing is changed.
    static func keepBeforeMigration(_ pool: DatabasePool, path: String) throws {
        let schema = try pool.read { db -> String? in
            try Migrations.all.hasCompletedMigrations(db) ? nil : LedgerFile.schema(db)
        }
        // An empty file is a new ledger.
        guard let schema else { return }
        do { try LedgerFile.copy(pool, to: "\(path).\(schema).backup") } catch {
            throw LedgerError(
                error.kind, stage: "\(error.stage) before its schema changes, so it was left as it is",
                message: error.message, hint: error.hint)
        }
    }
}
