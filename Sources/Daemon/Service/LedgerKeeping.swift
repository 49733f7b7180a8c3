import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Units

/// `mld backup` and `mld restore`: the ledger as a file of its own.
package enum LedgerKeeping {
    /// What is told, and whether the audit of the copy is without findings.
    package struct Outcome: Sendable {
        package var text: String
        package var isSound: Bool
    }

    /// Copies the ledger, whether a daemon runs on it or not.
    /// - Parameter isReplacing: a file of that name may be there.
    package static func backUp(_ settings: Settings, to file: String, isReplacing: Bool) throws -> Outcome {
        let path = absolute(file)
        var status = stat()
        if lstat(path, &status) == 0 {
            guard isReplacing, status.st_mode & S_IFMT == S_IFREG else {
                throw DaemonError(
                    stage: "backup", message: "\(path) is there already",
                    hint: isReplacing ? "it is no file" : "choose another name, or --replace it")
            }
        }
        let ledger = settings.stateDirectory + "/ledger.db"
        guard !isOfLedger(path, ledger) else {
            throw DaemonError(
                stage: "backup", message: "\(path) is a file of the ledger itself", hint: "choose another name")
        }
        let copy = try Ledger.backUp(ledger, to: path, now: .now())
        return Outcome(text: described(copy), isSound: copy.audit?.ok ?? true)
    }

    /// Puts a copy in place of the ledger. No daemon may run on it.
    /// - Parameter isForced: also where its audit finds something, or jobs run that it may know nothing of.
    package static func restore(_ settings: Settings, from file: String, isForced: Bool) async throws -> Outcome {
        let source = absolute(file)
        guard access(source, R_OK) == 0 else { throw DaemonError(stage: "restore", "open \(source)", errno: errno) }
        try checkOwner(of: settings.stateDirectory)
        // The lock says that no daemon runs here, and that none starts meanwhile.
        let state = try StateDirectory(path: settings.stateDirectory)
        defer { state.release() }
        if !isForced, access(state.ledger, F_OK) == 0 {
            guard let running = Ledger.unended(state.ledger) else {
                throw DaemonError(
                    stage: "restore", message: "\(state.ledger) cannot be read, so nobody can tell whether jobs run",
                    hint: "look for them, and then use --force")
            }
            guard running.isEmpty else {
                let names = running.prefix(5).map { "\($0)" }.joined(separator: ", ")
                throw DaemonError(
                    stage: "restore", message: "\(running.count) jobs have not ended, such as \(names)",
                    hint: "start mld and let them end, or --force: then nobody will account for them")
            }
        }
        let restored = try await Ledger.restore(
            source, to: state.ledger, lastNumber: highestDirectory(state.jobs),
            accepting: { isForced || $0.ok }, now: .now())
        var lines = ["restored: \(state.ledger), \(described(restored.audit))"]
        if let replaced = restored.replaced { lines.append("the ledger that was there is now \(replaced)") }
        if restored.held > 0 {
            lines.append(
                "\(restored.held) jobs that waited are held, for they may have run since: mlctl release ID lets one run"
            )
        }
        return Outcome(text: lines.joined(separator: "\n"), isSound: restored.audit.ok)
    }

    /// Whose directory it is could lead root elsewhere while it writes there, and could not open what it made.
    private static func checkOwner(of directory: String) throws {
        var status = stat()
        guard geteuid() == 0, stat(directory, &status) == 0, status.st_uid != 0 else { return }
        let user = User.lookup(uid: status.st_uid, gid: status.st_gid).name
        throw DaemonError(
            stage: "restore", message: "\(directory) belongs to \(user)",
            hint: "do it as that user: runuser -u \(user) -- mld restore ...")
    }

    /// By whatever name, and whether it is there now or not.
    private static func isOfLedger(_ path: String, _ ledger: String) -> Bool {
        func identity(_ path: String) -> [UInt64]? {
            var status = stat()
            return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
        }
        func parts(_ path: String) -> (directory: String, name: Substring) {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            return (String(path[...slash]), path[path.index(after: slash)...])
        }
        let own = ["", "-wal", "-shm"].map { ledger + $0 }
        if let file = identity(path) { return own.contains { identity($0) == file } }
        let (directory, name) = parts(path)
        return own.contains { parts($0).name == name && identity(parts($0).directory) == identity(directory) }
    }

    private static func described(_ copy: LedgerCopy) -> String {
        let size = ByteSize(bytes: copy.bytes)
        guard let audit = copy.audit else {
            return
                "written: \(copy.path), \(size); of schema \(copy.schema): start this release of mld once, then it can be audited"
        }
        return "written: \(copy.path), \(size), \(described(audit))"
    }

    private static func described(_ audit: AuditReport) -> String {
        let rows = audit.rows.values.reduce(0, +)
        let chain = "\(rows) sealed rows, chain of \(audit.entries) entries, head \(audit.head)"
        guard let finding = audit.findings.first else { return "audit ok: \(chain)" }
        let problem = "\(finding.check): \(finding.row): \(finding.problem) (\(audit.findings.count) findings)"
        return "audit FAILED: \(problem); \(chain)"
    }

    /// The highest number of a job that there are files of: its number is not given out again.
    private static func highestDirectory(_ jobs: String) -> Int64 {
        guard let directory = opendir(jobs) else { return 0 }
        defer { closedir(directory) }
        var highest: Int64 = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = Int64(name) { highest = max(highest, number) }
        }
        return highest
    }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}
