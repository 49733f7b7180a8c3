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

    package init(_ kind: Kind, stage: String, message: String) {
        self.kind = kind
        self.stage = stage
        self.message = message
    }

    /// - Parameter path: of the ledger. Where SQLite cannot make a file beside it, it does not tell whether the disk is full.
    init(_ error: any Error, stage: String, path: String) {
        guard let error = error as? DatabaseError else {
            self.init(.storage, stage: stage, message: "\(error)")
            return
        }
        let text = error.message ?? "SQLite error \(error.resultCode.rawValue)"
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

    private static func isFull(_ path: String) -> Bool {
        var info = statvfs()
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return statvfs(directory, &info) == 0 && (info.f_bavail == 0 || info.f_files > 0 && info.f_favail == 0)
    }

    package var description: String {
        let hint =
            switch kind {
            case .full: "free space on the ledger's file system; nothing that was accepted is lost"
            case .busy: "another program holds the ledger; end its transaction"
            case .storage: "check the ledger's directory, its rights and its disk"
            case .readOnly:
                "make it writable for mld: look at its owner and mode, and whether its file system is mounted read-only"
            case .newer: "install the release of mld that wrote it, or a later one"
            }
        return "the ledger could not \(stage): \(message) (\(hint))"
    }
}
