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
        let pids =
            cgroup >= 0 ? Self.processes(in: cgroup) : ProcessTree.descendantsByChildren() ?? ProcessTree.descendants()
        var used = pids.reduce(Int64(0)) { $0 + Self.resident($1) }
        // Pages that several processes share were counted once for each, as after a fork. What is each one's part of them
        // takes the kernel longer to say.
        if used > limit { used = pids.reduce(Int64(0)) { $0 + (Self.proportional($1) ?? Self.resident($1)) } }
        peak = max(peak, used)
        return used > limit ? used : nil
    }

    private static func resident(_ pid: pid_t) -> Int64 {
        sum("RssAnon:", "RssShmem:", in: "/proc/\(pid)/status") ?? 0
    }

    /// Nil where the kernel does not tell, or not us.
    private static func proportional(_ pid: pid_t) -> Int64? {
        sum("Pss_Anon:", "Pss_Shmem:", in: "/proc/\(pid)/smaps_rollup")
    }

    /// Adds up two lines of `NAME: NUMBER kB`; nil if there are none. Once a second for each process, so without a copy.
    private static func sum(_ first: StaticString, _ second: StaticString, in path: String) -> Int64? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 8192) { buffer -> Int64? in
            guard let base = buffer.baseAddress else { return nil }
            var count = 0
            while count < buffer.count - 1 {
                let more = read(file, base + count, buffer.count - 1 - count)
                if more <= 0 { break }
                count += more
            }
            base[count] = 0
            var total: Int64?
            for name in [first, second] {
                let start = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
                guard let line = strstr(base, start) else { continue }
                total = (total ?? 0) + Int64(strtol(line + name.utf8CodeUnitCount, nil, 10)) * 1024
            }
            return total
        }
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
