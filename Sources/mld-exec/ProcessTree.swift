import Glibc

/// The living descendants of this process, found in `/proc`. Since the supervisor is the subreaper, whatever a job starts
/// stays below it, however it detaches itself.
enum ProcessTree {
    /// Pids, parents before children; without this process.
    static func descendants() -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var children: [pid_t: [pid_t]] = [:]
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = pid_t(name), let parent = parent(of: pid) { children[parent, default: []].append(pid) }
        }
        var found: [pid_t] = children[getpid()] ?? []
        var next = 0
        while next < found.count {
            found += children[found[next]] ?? []
            next += 1
        }
        return found
    }

    /// The same from the kernel's own lists, at a cost of the job's size and not the machine's. One that starts or ends meanwhile
    /// may be missed, so it serves to look, not to end the job. Nil on a kernel without such lists.
    static func descendantsByChildren() -> [pid_t]? {
        guard access("/proc/self/task/\(getpid())/children", R_OK) == 0 else { return nil }
        var found = children(of: getpid())
        var next = 0
        while next < found.count {
            found += children(of: found[next])
            next += 1
        }
        return found
    }

    /// Each thread has a list of its own.
    private static func children(of pid: pid_t) -> [pid_t] {
        guard let directory = opendir("/proc/\(pid)/task") else { return [] }
        defer { closedir(directory) }
        var found: [pid_t] = []
        while let entry = readdir(directory) {
            guard entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) else { continue }
            let file = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    open("/proc/\(pid)/task/\(String(cString: name))/children", O_RDONLY | O_CLOEXEC)
                }
            }
            guard file >= 0 else { continue }
            let bytes = readAll(file, limit: 1 << 20)
            close(file)
            found += bytes.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
        }
        return found
    }

    /// Nil for a process that is gone or a zombie.
    private static func parent(of pid: pid_t) -> pid_t? {
        let fields = status(of: pid)
        guard fields.count > 1, fields[0] != "Z" else { return nil }
        return pid_t(fields[1])
    }

    /// Of a zombie too; nil for a process that is gone.
    static func startTime(of pid: pid_t) -> UInt64? {
        let fields = status(of: pid)
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }

    /// The fields of `/proc/PID/stat` from the third on; none where it cannot be read.
    private static func status(of pid: pid_t) -> [Substring] {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let bytes = readAll(file, limit: 4096)
        // The name between the parentheses is the process's own choice; the fields count from the last one.
        guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return [] }
        return String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
    }

    static func signal(_ number: Int32, except excluded: pid_t = 0) {
        for pid in descendants() where pid != excluded { kill(pid, number) }
    }
}
