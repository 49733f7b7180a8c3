import Glibc
import LinuxSystem

/// The daemon's own directory: ledger, job directories and the lock that says whose it is.
struct StateDirectory: Sendable {
    let path: String
    /// Held for the life of the process: the kernel releases it with the descriptor, however we die.
    private let lock: Int32

    /// Tells this daemon's cgroups from those of another on the same machine: FNV-1a of the path.
    var instance: String {
        let hash = path.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(hash, radix: 36)
    }

    var ledger: String { path + "/ledger.db" }
    var jobs: String { path + "/jobs" }

    /// Creates what is missing and takes the lock.
    /// - Throws: ``DaemonError`` when another daemon holds it.
    init(path: String) throws(DaemonError) {
        self.path = path
        try Self.makeDirectory(path, mode: 0o755)
        try Self.makeDirectory(path + "/jobs", mode: 0o711)
        guard let descriptor = try Self.takeLock(path + "/lock") else {
            throw DaemonError(
                stage: "lock", message: "another mld is running on \(path)",
                hint: "stop it first, or give this one a directory of its own with --state DIR")
        }
        lock = descriptor
    }

    /// Makes the ledger's file readable for us alone before SQLite opens it; its journal files take over the mode.
    func createLedgerFile() throws(DaemonError) {
        let descriptor = open(ledger, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            let isClosed = [EROFS, EACCES, EPERM].contains(errno)
            throw DaemonError(
                stage: "ledger", message: "cannot open \(ledger) for writing: \(errnoText(errno))",
                hint: isClosed
                    ? "make it writable for mld: look at its owner and mode, and whether its file system is mounted read-only"
                    : nil)
        }
        close(descriptor)
    }

    /// How far the journal was told.
    func toldMark() throws(DaemonError) -> ToldMark {
        do throws(LinuxError) { return try ToldMark(path: path + "/told", of: ledger) } catch {
            throw DaemonError(stage: "state directory", message: "\(error)")
        }
    }

    func release() { close(lock) }

    /// - Returns: the descriptor that holds the lock, or nil when another process does.
    private static func takeLock(_ path: String) throws(DaemonError) -> Int32? {
        do {
            let file = try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
            return try file.tryLock() ? file.release() : nil
        } catch {
            throw DaemonError(stage: "lock", message: "\(error)")
        }
    }

    /// Creates `path` and its parents; existing directories are left as they are.
    static func makeDirectory(_ path: String, mode: mode_t) throws(DaemonError) {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/" + part
            let wanted = built == path ? mode : 0o755
            if mkdir(built, wanted) == 0 {
                // Whatever the process's mask is: users pass through to what is theirs.
                guard chmod(built, wanted) == 0 else {
                    throw DaemonError(stage: "state directory", "set the mode of \(built)", errno: errno)
                }
                continue
            }
            guard errno != EEXIST else { continue }
            throw DaemonError(stage: "state directory", "create \(built)", errno: errno)
        }
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw DaemonError(stage: "state directory", message: "\(path) is not a directory")
        }
    }
}
