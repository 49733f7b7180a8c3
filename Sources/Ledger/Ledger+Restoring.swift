import GRDB
import Glibc
package import JobAPI
package import Units

/// What was put in place of a ledger.
package struct RestoredLedger: Sendable {
    package var audit: AuditReport
    /// Jobs that waited when the copy was made and are held now.
    package var held: Int
    /// Where the ledger that was there is now; nil where there was none.
    package var replaced: String?
}

extension Ledger {
    /// Jobs of this ledger that may be running now; it must not be in use. Nil where it cannot be read.
    package static func unended(_ path: String) -> [JobID]? {
        guard let queue = try? LedgerFile.reader(path) else { return nil }
        return try? queue.read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM jobs WHERE state IN ('starting', 'running', 'suspended') ORDER BY id"
            ).map { JobID($0) }
        }
    }

    /// Puts a copy in place of the ledger, which must not be in use; what was there stays beside it.
    ///
    /// Jobs that waited when the copy was made may have run since: they are held until somebody releases them, for none may run
    /// twice. Attempts that ran then may have been followed by others: where one of them would be tried again, the job is held too.
    /// Numbers go on above those that were given out since.
    /// - Parameters:
    ///   - lastNumber: the highest number of a job that there are files of.
    ///   - accepting: whether a copy whose audit finds something may be taken.
    /// - Throws: also where the audit finds something; nothing was changed then.
    package static func restore(
        _ copy: String, to path: String, lastNumber: Int64, accepting isAccepting: (AuditReport) -> Bool, now: Timestamp
    ) async throws(LedgerError) -> RestoredLedger {
        let coming = path + ".restoring"
        let directory = LedgerFile.directory(of: path)
        let name = copy.dropFirst(LedgerFile.directory(of: copy).count)
        guard !UnfinishedCopy.isName(name),
            Leftover(String(name), beside: String(path.dropFirst(directory.count))) != .unfinished
        else {
            throw LedgerError(
                .storage, stage: "be restored from \(copy)", message: "it has the name of a leftover, which is removed",
                hint: "give it another name first")
        }
        if let problem = sweep(beside: path).problems.first { throw problem }
        _ = try examine(copy, now: now)
        do {
            let source = try LedgerFile.reader(copy)
            try LedgerFile.copy(source, to: coming)
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(error, stage: "copy \(copy)", path: path)
        }
        // Of an older schema too: it is brought up to date here, where nothing is lost if that fails.
        let ledger = try Ledger(path: coming, keepsOldSchema: false)
        let audit = try await ledger.audit(now: now)
        guard isAccepting(audit) else {
            try? ledger.close()
            for end in ["", "-wal", "-shm"] { unlink(coming + end) }
            throw LedgerError(
                .storage, stage: "be restored from \(copy)",
                message: "its audit finds: " + audit.findings.map { "\($0.row): \($0.problem)" }.joined(separator: "; ")
            )
        }
        let given = max(lastNumber, highestNumber(path) ?? 0)
        let held = try await ledger.write("hold the jobs of the copy") { db in
            try holdWaiting(db, now: now, numbersAbove: given)
        }
        do { try ledger.close() } catch { throw LedgerError(error, stage: "close \(coming)", path: path) }
        // The journal stays as a file; were there anything in it, that would be lost with its name.
        var journal = stat()
        if stat(coming + "-wal", &journal) == 0, journal.st_size > 0 {
            throw LedgerError(.storage, stage: "close \(coming)", message: "its journal was not taken into the file")
        }
        for end in ["-wal", "-shm"] { unlink(coming + end) }
        return RestoredLedger(audit: audit, held: held, replaced: try exchange(coming, for: path, now: now))
    }

    private static let heldReason =
        "held since the ledger was restored from a copy: it may have run since that was made"
    /// Under which key ``Ledger`` keeps the attempts that ran when the copy was made: `12/1 15/3`, job and attempt.
    private static let restoredKey = "attempts-of-the-copy"

    /// Holds a job that was just queued again where its last attempt ran when the copy was made that this ledger was restored from.
    static func holdRestored(_ db: Database, _ id: JobID, at now: Timestamp) throws {
        guard
            let text = try String.fetchOne(
                db, sql: "SELECT value FROM learned WHERE key = ?", arguments: [restoredKey]),
            let row = try Row.fetchOne(
                db, sql: "SELECT attempt, policy_hash FROM jobs WHERE id = ?", arguments: [id.number])
        else { return }
        let attempt: Int64 = row["attempt"]
        guard text.split(separator: " ").contains("\(id.number)/\(attempt)") else { return }
        try db.execute(
            sql: "UPDATE jobs SET held = 3, reason = ? WHERE id = ?", arguments: [heldReason, id.number])
        try insertDecision(
            db, at: now, id: id, user: "root", decision: "held", reason: heldReason, rule: nil,
            policyHash: row["policy_hash"])
    }

    private static func holdWaiting(_ db: Database, now: Timestamp, numbersAbove last: Int64) throws -> Int {
        let reason = heldReason
        let running = try Row.fetchAll(
            db,
            sql: "SELECT id, attempt FROM jobs WHERE state IN ('starting', 'running', 'suspended') ORDER BY id"
        ).map { row -> String in
            let (id, attempt): (Int64, Int64) = (row["id"], row["attempt"])
            return "\(id)/\(attempt)"
        }
        try db.execute(
            sql: "INSERT OR REPLACE INTO learned VALUES (?, ?, ?)",
            arguments: [restoredKey, running.joined(separator: " "), now.microseconds])
        let rows = try Row.fetchAll(
            db, sql: "SELECT id, policy_hash FROM jobs WHERE state = 'queued' AND held <> 3 ORDER BY id")
        for row in rows {
            let id: Int64 = row["id"]
            try db.execute(sql: "UPDATE jobs SET held = 3, reason = ? WHERE id = ?", arguments: [reason, id])
            try insertDecision(
                db, at: now, id: JobID(id), user: "root", decision: "held", reason: reason, rule: nil,
                policyHash: row["policy_hash"])
        }
        // Without a job there is no row to raise.
        try db.execute(sql: "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'jobs'", arguments: [last])
        if db.changesCount == 0 {
            try db.execute(sql: "INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)", arguments: [last])
        }
        return rows.count
    }

    /// The last number that was given out; nil where the file cannot be read.
    private static func highestNumber(_ path: String) -> Int64? {
        guard access(path, F_OK) == 0 else { return nil }
        guard let queue = try? LedgerFile.reader(path) else { return nil }
        return try? queue.read { try Int64.fetchOne($0, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'") }
    }

    /// - Returns: the new name of what was there.
    private static func exchange(
        _ coming: String, for path: String, now: Timestamp
    ) throws(LedgerError) -> String? {
        var replaced: String?
        if access(path, F_OK) == 0 {
            let old = "\(path).replaced-\(now.microseconds / 1_000_000)"
            // At any moment there is a whole ledger under its name: the old one gets a second name, then the new one takes the first.
            try foldJournal(into: path)
            guard link(path, old) == 0 else { throw LedgerFile.failure("name \(path) \(old) as well") }
            // What could not be folded in goes with it: under its old name it would be taken for the new one's.
            for end in ["-wal", "-shm"] where access(path + end, F_OK) == 0 {
                guard rename(path + end, old + end) == 0 else { throw LedgerFile.failure("move \(path + end) away") }
            }
            replaced = old
        }
        guard rename(coming, path) == 0 else { throw LedgerFile.failure("name \(coming) \(path)") }
        do { try LedgerFile.sync(LedgerFile.directory(of: path), O_RDONLY | O_DIRECTORY) } catch {
            throw LedgerError(error, stage: "sync \(path)", path: path)
        }
        return replaced
    }

    /// Takes what a ledger's journal holds into its file, and the journal away. A file that is too damaged for that stays as it is:
    /// it is about to be replaced.
    /// - Throws: where somebody else reads or writes it.
    private static func foldJournal(into path: String) throws(LedgerError) {
        do {
            let queue = try DatabaseQueue(path: path)
            try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try queue.close()
        } catch let error as DatabaseError where [.SQLITE_BUSY, .SQLITE_LOCKED].contains(error.resultCode) {
            throw LedgerError(error, stage: "take its journal into \(path)", path: path)
        } catch {
            return
        }
        var journal = stat()
        guard stat(path + "-wal", &journal) == 0, journal.st_size == 0 else { return }
        for end in ["-wal", "-shm"] { unlink(path + end) }
    }
}
