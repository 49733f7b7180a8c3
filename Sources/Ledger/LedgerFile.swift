import GRDB
import Glibc

/// A ledger's file as a whole: copied, looked at and put in place.
enum LedgerFile {
    /// The schema that the file has, as `v8`; nil for one that is empty or no ledger.
    static func schema(_ db: Database) throws -> String? {
        guard try db.tableExists("grdb_migrations") else { return nil }
        let applied = try Migrations.all.appliedMigrations(db)
        return applied.last
    }

    /// Copies the database as it is at this moment into one file that only its owner may read; others go on writing meanwhile.
    ///
    /// The file is whole and on the disk before it gets its name, and takes the place of what had it.
    /// - Throws: ``LedgerError`` that says where the copy should have been.
    static func copy(_ source: some DatabaseReader, to path: String) throws(LedgerError) {
        do {
            let temporary = path + ".new.\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
            // Made by us, so that it is never open to others: SQLite would make it readable for all.
            let made = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard made >= 0 else { throw failure("create \(temporary)") }
            close(made)
            do {
                let copy = try DatabaseQueue(path: temporary)
                // In one step: another process that writes would make it begin anew after each.
                try source.backup(to: copy)
                // One file and no journal beside it: it can be carried away as it is.
                try copy.writeWithoutTransaction { db in
                    guard try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete" else {
                        throw DatabaseError(message: "its journal cannot be taken into the one file")
                    }
                }
                try copy.close()
                try sync(temporary, O_RDWR)
                guard rename(temporary, path) == 0 else { throw failure("name it \(path)") }
                try sync(directory(of: path), O_RDONLY | O_DIRECTORY)
            } catch {
                for end in ["", "-journal", "-wal", "-shm"] { unlink(temporary + end) }
                throw error
            }
        } catch {
            throw LedgerError(error, copyingTo: path)
        }
    }

    static func sync(_ path: String, _ flags: Int32) throws {
        let file = open(path, flags | O_CLOEXEC)
        guard file >= 0 else { throw failure("open \(path)") }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("sync \(path)") }
    }

    static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    }

    /// With the kernel's reason: a full disk is told from others by it.
    static func failure(_ what: String, code: Int32 = errno) -> LedgerError {
        let kind: LedgerError.Kind =
            switch code {
            case ENOSPC, EDQUOT: .full
            case EROFS: .readOnly
            default: .storage
            }
        return LedgerError(kind, stage: what, message: String(cString: strerror(code)))
    }
}
