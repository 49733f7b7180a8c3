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
    /// The file is whole and on the disk before it gets its name, and takes the place of what had it. What copies that were killed
    /// left in its directory goes first: the room may be needed.
    /// - Throws: ``LedgerError`` that says where the copy should have been.
    static func copy(_ source: some DatabaseReader, to path: String) throws(LedgerError) {
        do {
            let directory = directory(of: path)
            // There may be room all the same, and what keeps the sweep off need not keep a copy off.
            _ = try? UnfinishedCopy.sweep(directory)
            let unfinished = try UnfinishedCopy(in: directory)
            do {
                try fill(unfinished.path, from: source)
                try sync(unfinished.path, O_RDWR)
                guard rename(unfinished.path, path) == 0 else { throw failure("name it \(path)") }
                try sync(directory, O_RDONLY | O_DIRECTORY)
            } catch {
                unfinished.discard()
                throw error
            }
        } catch {
            throw LedgerError(error, copyingTo: path)
        }
    }

    private static func fill(_ path: String, from source: some DatabaseReader) throws {
        let copy = try DatabaseQueue(path: path)
        // In one step: another process that writes would make it begin anew after each.
        try source.backup(to: copy)
        // One file and no journal beside it: it can be carried away as it is.
        try copy.writeWithoutTransaction { db in
            guard try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete" else {
                throw DatabaseError(message: "its journal cannot be taken into the one file")
            }
        }
        try copy.close()
    }

    static func sync(_ path: String, _ flags: Int32) throws {
        let file = open(path, flags | O_CLOEXEC)
        guard file >= 0 else { throw failure("open \(path)") }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("sync \(path)") }
    }

    /// With a slash at its end.
    static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    }

    static func names(in directory: String) throws(LedgerError) -> [String] {
        guard let stream = opendir(directory) else { throw failure("read \(directory)") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }

    /// - Returns: whether there was one.
    @discardableResult
    static func remove(_ path: String) throws(LedgerError) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw failure("remove \(path)") }
        return false
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
