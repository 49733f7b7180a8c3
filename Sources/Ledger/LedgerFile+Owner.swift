import Glibc

extension LedgerFile {
    struct Owner: Equatable {
        var user: uid_t
        var group: gid_t
    }

    /// Whose a file becomes that is put into a directory: root works for whoever the directory belongs to, and their mld must be able to
    /// open it. Nil where it stays as it is made.
    static func newOwner(in directory: stat, for user: uid_t) -> Owner? {
        guard user == 0, directory.st_uid != 0 else { return nil }
        return Owner(user: directory.st_uid, group: directory.st_gid)
    }

    static func newOwner(beside path: String) throws(LedgerError) -> Owner? {
        let directory = directory(of: path)
        var status = stat()
        guard stat(directory, &status) == 0 else { throw failure("look at \(directory)") }
        return newOwner(in: status, for: geteuid())
    }
}

extension Ledger {
    /// Gives what root has made in another user's state directory to that user, whose mld could not open it.
    package static func handOver(_ names: [String], in directory: String) throws(LedgerError) {
        guard let owner = try LedgerFile.newOwner(beside: directory + "/") else { return }
        for name in names {
            let path = directory + "/" + name
            let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            // A link leads to what was there before.
            if file < 0, errno == ELOOP { continue }
            guard file >= 0 else { throw LedgerFile.failure("open \(path)") }
            defer { Glibc.close(file) }
            var status = stat()
            guard fstat(file, &status) == 0 else { throw LedgerFile.failure("look at \(path)") }
            // Whose directory it is can put something of root's there under that name: it stays root's.
            let isOurs = status.st_mode & S_IFMT == S_IFDIR || status.st_nlink == 1 && status.st_size == 0
            guard status.st_uid == 0, isOurs else { continue }
            guard fchown(file, owner.user, owner.group) == 0 else {
                throw LedgerFile.failure("give \(path) to user \(owner.user)")
            }
        }
    }
}
