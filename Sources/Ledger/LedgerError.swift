import GRDB
import Glibc

/// The ledger could not do what was asked.
package struct LedgerError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The disk is full or the quota is used up: nothing was written, what is there is intact.
        case full
        /// Another program holds the database for longer than we wait.
        case busy
        /// The file cannot be opened, read or written as it should.
        case storage
        /// It may be read only: by its mode, or because its file system is mounted so.
        case readOnly
        /// The database comes from a newer release.
        case newer
    }

    package var kind: Kind
    /// What we were doing.
    package var stage: String
    package var message: String
    /// What to do, where its kind does not say it.
    package var hint: String?

    package init(_ kind: Kind, stage: String, message: String, hint: String? = nil) {
        self.kind = kind
        self.stage = stage
        self.message = message
        self.hint = hint
    }

    /// - Parameter path: of the ledger. Where SQLite cannot make a file beside it, it does not tell whether the disk is full.
    init(_ error: any Error, stage: String, path: String) {
        guard let error = error as? DatabaseError else {
            self.init(.storage, stage: stage, message: "\(error)")
            return
        }
        let text = Self.words(of: error)
        switch error.resultCode {
        case .SQLITE_FULL: self.init(.full, stage: stage, message: text)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self.init(.busy, stage: stage, message: text)
        case .SQLITE_READONLY: self.init(.readOnly, stage: stage, message: "it cannot be written (\(text))")
        case .SQLITE_IOERR, .SQLITE_CANTOPEN:
            // SQLite's own words hide the cause here.
            if Self.isFull(path) {
                self.init(.full, stage: stage, message: "the disk is full (\(text))")
            } else {
                self.init(.storage, stage: stage, message: text)
            }
        default: self.init(.storage, stage: stage, message: text)
        }
    }

    /// What kept the ledger from being copied. Unless it is the ledger that cannot be read, something is to be done where the copy
    /// should have been.
    init(_ error: any Error, copyingTo path: String) {
        self = (error as? LedgerError) ?? LedgerError(error, stage: "be copied", path: path)
        if error is LedgerError { message = "cannot \(stage): \(message)" }
        stage = "be copied to \(path)"
        if let code = (error as? DatabaseError)?.extendedResultCode, Self.ofReading.contains(code) { return }
        switch kind {
        case .full: hint = "free space on the file system of \(path); the ledger itself is as it was"
        case .readOnly, .storage: hint = "check the directory of \(path), its rights and its disk"
        case .busy, .newer: break
        }
    }

    private static let ofReading: [ResultCode] = [
        .SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ, .SQLITE_CORRUPT, .SQLITE_NOTADB,
    ]

    /// SQLite's own, or those of its result code: where a backup fails it has no others, and says `not an error`.
    private static func words(of error: DatabaseError) -> String {
        let none = DatabaseError(resultCode: .SQLITE_OK).message
        if let message = error.message, message != none { return message }
        return DatabaseError(resultCode: error.extendedResultCode).message
            ?? "SQLite error \(error.resultCode.rawValue)"
    }

    private static func isFull(_ path: String) -> Bool {
        var info = statvfs()
        return statvfs(LedgerFile.directory(of: path), &info) == 0
            && (info.f_bavail == 0 || info.f_files > 0 && info.f_favail == 0)
    }

    package var description: String {
        let usual =
            switch kind {
            case .full: "free space on the ledger's file system; nothing that was accepted is lost"
            case .busy: "another program holds the ledger; end its transaction"
            case .storage: "check the ledger's directory, its rights and its disk"
            case .readOnly:
                "make it writable for mld: look at its owner and mode, and whether its file system is mounted read-only"
            case .newer: "install the release of mld that wrote it, or a later one"
            }
        return "the ledger could not \(stage): \(message) (\(hint ?? usual))"
    }
}
