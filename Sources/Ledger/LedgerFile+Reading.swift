import GRDB
import Glibc

extension LedgerFile {
    /// How a ledger that is only read is opened.
    enum Opening: Equatable {
        case ordinary
        /// As a file that nobody changes, without looking for a journal.
        case immutable
        /// Its newest rows are in a journal that cannot be read there.
        case impossible

        /// A ledger in use has a journal and an index of it beside it, and SQLite makes both where they are missing: a ledger that was
        /// closed cannot be opened as usual where nothing can be made.
        /// - Parameters:
        ///   - isReadOnly: whether its file system is mounted so.
        ///   - journalBytes: nil where there is no journal.
        init(isReadOnly: Bool, journalBytes: Int64?, hasIndex: Bool) {
            if !isReadOnly || journalBytes != nil && hasIndex {
                // With both there may be a daemon that writes to it by another way than we see it.
                self = .ordinary
            } else {
                self = journalBytes ?? 0 > 0 ? .impossible : .immutable
            }
        }
    }

    /// Opens a ledger, or a copy of one, to read from it. On a read-only file system too, from which it may have to be rescued.
    static func reader(
        _ path: String, patience: Double? = nil, isReadOnly: (String) -> Bool = isOnReadOnlyFileSystem
    ) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        if let patience { configuration.busyMode = .timeout(patience) }
        let opening = Opening(
            isReadOnly: isReadOnly(path), journalBytes: size(path + "-wal"), hasIndex: size(path + "-shm") != nil)
        switch opening {
        case .ordinary: return try DatabaseQueue(path: path, configuration: configuration)
        case .immutable: return try DatabaseQueue(path: immutable(path), configuration: configuration)
        case .impossible:
            throw LedgerError(
                .readOnly, stage: "open \(path)",
                message: "its file system is read-only, and its newest rows are still in \(path)-wal",
                hint: "copy both files into one directory that can be written, and use them there")
        }
    }

    /// The file as SQLite's URI.
    static func immutable(_ path: String) -> String {
        var text = path.hasPrefix("/") ? "file://" : "file:"
        for character in path {
            switch character {
            case "%": text += "%25"
            case "?": text += "%3f"
            case "#": text += "%23"
            default: text.append(character)
            }
        }
        return text + "?immutable=1"
    }

    private static func isOnReadOnlyFileSystem(_ path: String) -> Bool {
        var info = statvfs()
        return statvfs(path, &info) == 0 && info.f_flag & UInt(ST_RDONLY) != 0
    }

    /// - Returns: nil where there is no such file.
    private static func size(_ path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }
}
