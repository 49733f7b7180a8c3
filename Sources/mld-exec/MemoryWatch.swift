import Glibc

/// The memory of a job on a machine whose cgroups cannot hold it to a limit: summed over its processes once a second.
///
/// Counted is what only ends with the processes: anonymous and shared memory, not the file cache.
struct MemoryWatch {
    let limit: Int64
    private(set) var peak: Int64 = 0
    private var nextLook = Clock.monotonic() + 1

    init(limit: Int64) {
        self.limit = limit
    }

    var pause: Double { max(0.001, nextLook - Clock.monotonic()) }

    /// Looks, if it is time to.
    /// - Returns: the memory in use, if it is more than the limit.
    mutating func excess(cgroup: Int32) -> Int64? {
        guard Clock.monotonic() >= nextLook else { return nil }
        defer { nextLook = Clock.monotonic() + 1 }
        let pids = cgroup >= 0 ? Self.processes(in: cgroup) : ProcessTree.descendants()
        var used = pids.reduce(Int64(0)) { $0 + Self.resident($1) }
        // Pages that several processes share were counted once for each, as after a fork. What is each one's part of them
        // takes the kernel longer to say.
        if used > limit { used = pids.reduce(Int64(0)) { $0 + (Self.proportional($1) ?? Self.resident($1)) } }
        peak = max(peak, used)
        return used > limit ? used : nil
    }

    private static func resident(_ pid: pid_t) -> Int64 {
        sum(["RssAnon:", "RssShmem:"], in: "/proc/\(pid)/status") ?? 0
    }

    /// Nil where the kernel does not tell, or not us.
    private static func proportional(_ pid: pid_t) -> Int64? {
        sum(["Pss_Anon:", "Pss_Shmem:"], in: "/proc/\(pid)/smaps_rollup")
    }

    /// Adds up lines of `NAME: NUMBER kB`; nil if there are none.
    private static func sum(_ names: [String], in path: String) -> Int64? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var total: Int64?
        for line in readAll(file, limit: 16 << 10).split(separator: UInt8(ascii: "\n")) {
            guard let name = names.first(where: { line.starts(with: $0.utf8) }) else { continue }
            let digits = line.dropFirst(name.utf8.count).filter { (48...57).contains($0) }
            let kilobytes = Int64(String(decoding: digits, as: UTF8.self)) ?? 0
            total = (total ?? 0) + kilobytes * 1024
        }
        return total
    }

    /// Of a cgroup and those below it.
    private static func processes(in cgroup: Int32) -> [pid_t] {
        var found: [pid_t] = []
        let file = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC)
        if file >= 0 {
            let bytes = readAll(file, limit: 1 << 20)
            found = bytes.split(separator: UInt8(ascii: "\n")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
            close(file)
        }
        let copy = openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return found }
        guard let directory = fdopendir(copy) else {
            close(copy)
            return found
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let child = openat(cgroup, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard child >= 0 else { continue }
            found += processes(in: child)
            close(child)
        }
        return found
    }
}
