import GRDB
import Synchronization

/// The book of everything mld accepted, decided, ran and metered: one SQLite file in WAL mode.
///
/// Every write is on the disk, whole, before the call returns: a job whose number was handed out survives a crash of the
/// process and of the machine. Writes that come at the same time share one sync; see ``CommitQueue``.
package final class Ledger: Sendable {
    let pool: DatabasePool
    private let commits: CommitQueue
    package let path: String
    private let isClosed = Mutex(false)
    /// The minute up to which rows of an earlier daemon are still to be sealed, before anything else is.
    let unsealedBefore = Mutex<Minute?>(nil)

    /// Opens the ledger, creating or migrating it.
    /// - Parameters:
    ///   - patience: how many seconds a write waits for another program that holds the file.
    ///   - keepsOldSchema: whether one of an earlier release is copied before it is migrated.
    /// - Throws: ``LedgerError``; `.newer` for a file of a later release.
    package init(path: String, patience: Double = 5, keepsOldSchema: Bool = true) throws(LedgerError) {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(patience)
            configuration.foreignKeysEnabled = true
            // Few and small: an idle daemon keeps little in memory.
            configuration.maximumReaderCount = 3
            configuration.prepareDatabase { db in
                // FULL: a commit is on the disk, not only in the kernel, when it returns.
                try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cache_size = -512")
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            let migrator = Migrations.all
            let isNewer = try pool.read { db in try migrator.hasBeenSuperseded(db) }
            if isNewer {
                throw LedgerError(.newer, stage: "open \(path)", message: "it was written by a newer release")
            }
            if keepsOldSchema { try Self.keepBeforeMigration(pool, path: path) }
            try migrator.migrate(pool)
            commits = CommitQueue(pool)
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(error, stage: "open \(path)", path: path)
        }
    }

    /// Bytes of the file that hold something; pages that were freed are used again.
    package func usedBytes() async throws(LedgerError) -> Int64 {
        try await read("measure the ledger") { db in
            let numbers = try ["page_count", "freelist_count", "page_size"].map {
                try Int64.fetchOne(db, sql: "PRAGMA \($0)") ?? 0
            }
            return (numbers[0] - numbers[1]) * numbers[2]
        }
    }

    /// Moves everything into the one file, so that a copy of it is the whole, and closes it.
    package func close() throws {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        // A closed connection must not be asked anything.
        guard isFirst else { return }
        do {
            try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        } catch is DatabaseError {
            // A reader, or a full disk: what is in the journal stays there, and is part of the ledger all the same.
        }
        try pool.close()
    }

    func write<T: Sendable>(
        _ stage: String, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(LedgerError) -> T {
        do { return try await commits.write(body) } catch { throw LedgerError(error, stage: stage, path: path) }
    }

    func read<T: Sendable>(
        _ stage: String, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(LedgerError) -> T {
        do { return try await pool.read(body) } catch { throw LedgerError(error, stage: stage, path: path) }
    }
}
