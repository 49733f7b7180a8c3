import Glibc

/// The file that a copy of a ledger is written to before it gets its name.
///
/// SQLite opens nothing without a name, so it has one of its own in the directory where it shall be, and a process that is killed
/// leaves it there. The next copy into that directory takes it away. What tells the two apart is a lock: whoever writes a copy holds
/// one on it, which the kernel releases however that ends.
struct UnfinishedCopy: ~Copyable {
    let path: String
    let descriptor: Int32

    static let prefix = "mld-copy.new."
    /// What SQLite makes beside a file, and last the file itself: as long as it is there the others are found by it.
    static let ends = ["-journal", "-wal", "-shm", ""]

    /// Makes an empty file that only its owner may read: SQLite would make it readable for all.
    init(in directory: String) throws(LedgerError) {
        while true {
            let number = String(UInt64.random(in: 0...UInt64.max), radix: 36)
            let zeros = String(repeating: "0", count: Self.digits - number.count)
            let path = directory + Self.prefix + zeros + number
            let made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard made >= 0 else { throw LedgerFile.failure("create \(path)") }
            var status = stat()
            do {
                // Another copy that sweeps here may have come between: then this one is as good as gone.
                if try Self.lock(made), fstat(made, &status) == 0, status.st_nlink > 0 {
                    self.path = path
                    self.descriptor = made
                    return
                }
            } catch {
                unlink(path)
                Glibc.close(made)
                throw error
            }
            Glibc.close(made)
        }
    }

    /// SQLite must have closed it: its locks go with whichever descriptor of the file this process closes.
    deinit { Glibc.close(descriptor) }

    /// Takes it away, whole or not.
    func discard() {
        for end in Self.ends { unlink(path + end) }
    }

    /// Of 64 random bits, to the base of 36.
    private static let digits = 13

    /// Whether a file of that name is such a copy, or was: nobody else gives such names.
    static func isName(_ name: some StringProtocol) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let number = name.dropFirst(prefix.count).utf8
        return number.count == digits
            && number.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
    }

    /// Removes copies that nobody writes any more from a directory, each with what SQLite made beside it.
    /// - Returns: their paths.
    static func sweep(_ directory: String) throws(LedgerError) -> [String] {
        var removed: [String] = []
        for name in try LedgerFile.names(in: directory).sorted() where isName(name) {
            let path = directory + name
            if try isAbandoned(path) {
                for end in ends { try LedgerFile.remove(path + end) }
                removed.append(path)
            }
        }
        return removed
    }

    private static func isAbandoned(_ path: String) throws(LedgerError) -> Bool {
        // It may be a pipe, or no longer be there; what is somebody else's is theirs to remove.
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { Glibc.close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
            return false
        }
        return try lock(file)
    }

    /// - Returns: whether nobody else holds the lock.
    ///
    /// It is the open file's and lies on the first byte: SQLite locks bytes a gibibyte further, and neither ends the other's. Where
    /// the file lies on another machine it holds there too.
    private static func lock(_ file: Int32) throws(LedgerError) -> Bool {
        // F_OFD_SETLK, which Glibc shows to GNU programs only.
        let setOpenFileLock: Int32 = 37
        var wanted = flock()
        wanted.l_type = Int16(F_WRLCK)
        wanted.l_whence = Int16(SEEK_SET)
        wanted.l_len = 1
        if fcntl(file, setOpenFileLock, &wanted) == 0 { return true }
        guard errno == EAGAIN || errno == EACCES else { throw LedgerFile.failure("lock a copy that is being made") }
        return false
    }
}
