import Glibc

/// One process as `/proc/PID/stat` shows it.
package struct ProcessStatus: Hashable, Sendable {
    package var pid: Int32
    package var parent: Int32
    /// `R`, `S`, `D`, `T`, `Z`, ...
    package var state: Character
    /// Clock ticks after boot. With the pid it names a process for ever, since pids are used again.
    package var startTime: UInt64
    /// User and system time of all its threads, in seconds; the resolution is 1/USER_HZ (10 ms).
    package var cpuSeconds: Double
    /// The same of its ended children that were waited for, and of theirs.
    package var endedChildrenSeconds: Double

    package var hasEnded: Bool { state == "Z" || state == "X" }

    /// - Parameter text: a line of `/proc/PID/stat`. The command's name is the process's own choice and may hold
    ///   anything, also `) R 1`, so the fields are counted from the last parenthesis.
    package init?(parsing text: String) {
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close,
            let pid = Int32(text[..<open].filter { $0 != " " })
        else { return nil }
        let fields = text[text.index(after: close)...].split(whereSeparator: \.isWhitespace)
        // Fields 3 (state), 4 (ppid), 14-17 (utime, stime, cutime, cstime) and 22 (starttime) of proc(5).
        guard fields.count >= 20, let state = fields[0].first, let parent = Int32(fields[1]),
            let user = UInt64(fields[11]), let system = UInt64(fields[12]), let childUser = UInt64(fields[13]),
            let childSystem = UInt64(fields[14]), let start = UInt64(fields[19])
        else { return nil }
        let second = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        self.pid = pid
        self.parent = parent
        self.state = state
        self.startTime = start
        self.cpuSeconds = (Double(user) + Double(system)) / second
        self.endedChildrenSeconds = (Double(childUser) + Double(childSystem)) / second
    }
}

/// The processes under a procfs root.
package struct ProcessTable: Hashable, Sendable {
    package var procfs: String

    package init(procfs: String = "/proc") {
        self.procfs = procfs
    }

    /// Nil if there is no such process (any more).
    package func status(of pid: Int32) -> ProcessStatus? {
        guard let file = try? Descriptor.open("\(procfs)/\(pid)/stat", O_RDONLY | O_NONBLOCK),
            let bytes = try? file.read(limit: 4096)
        else { return nil }
        let status = ProcessStatus(parsing: String(decoding: bytes, as: UTF8.self))
        return status?.pid == pid ? status : nil
    }

    /// The process's place in the cgroup v2 hierarchy, such as `/system.slice/ssh.service`. Nil if there is no such process
    /// (any more), no such hierarchy, or the place is outside of our cgroup namespace.
    package func cgroupPath(of pid: Int32) -> String? { cgroupPath(String(pid)) }

    /// - Parameter process: a pid or `self`.
    func cgroupPath(_ process: String) -> String? {
        // The kernel lets no cgroup's name hold a line break, so no name can pass for another line.
        guard let file = try? Descriptor.open("\(procfs)/\(process)/cgroup", O_RDONLY | O_NONBLOCK),
            let bytes = try? file.read(limit: 64 * 1024)
        else { return nil }
        return CgroupTree.ownPath(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// True while this very process lives; one that has ended and was not waited for yet does not.
    package func isAlive(_ pid: Int32, startTime: UInt64) -> Bool {
        // What is there but cannot be read (no descriptor left) must not be taken for dead.
        guard let status = status(of: pid) else { return access("\(procfs)/\(pid)/stat", F_OK) == 0 }
        return status.startTime == startTime && !status.hasEnded
    }

    /// All that can be read.
    package func all() throws(LinuxError) -> [ProcessStatus] { try pids().compactMap { status(of: $0) } }

    package func pids() throws(LinuxError) -> [Int32] {
        guard let directory = opendir(procfs) else { throw LinuxError("opendir", path: procfs) }
        defer { closedir(directory) }
        var pids: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name) { pids.append(pid) }
        }
        return pids
    }

    /// The process and everything it started that still lives, itself first.
    package func tree(of root: Int32) throws(LinuxError) -> [ProcessStatus] { ProcessTree(try all()).from(root) }
}
