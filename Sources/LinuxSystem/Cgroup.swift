import CLinux
import Glibc

/// One directory of a cgroup v2 hierarchy: the processes in it and below it, counted, frozen and killed as one.
package struct Cgroup: Hashable, Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    package func child(_ name: String) -> Cgroup { Cgroup(path: path + "/" + name) }

    /// Whether the other is this cgroup or lies below it.
    package func contains(_ other: Cgroup) -> Bool { other.path == path || other.path.hasPrefix(path + "/") }

    /// Makes the directory. One left behind by an earlier run, without processes, is taken over.
    package func create() throws(LinuxError) {
        if mkdir(path, 0o755) != 0 {
            guard errno == EEXIST else { throw LinuxError("mkdir", path: path) }
            guard !isPopulated else {
                throw LinuxError("create cgroup", path: path, message: "already exists and holds processes")
            }
        }
        // A stand-in tree of plain files could neither hold nor count a process.
        let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        guard mld_is_cgroup2(directory.raw) else {
            rmdir(path)
            throw LinuxError("create cgroup", path: path, message: "not on a cgroup v2 file system")
        }
    }

    /// Removes the cgroup and those below it. Fails with `EBUSY` while processes are in it; absence is success.
    package func remove() throws(LinuxError) {
        for child in children() { try child.remove() }
        if rmdir(path) != 0, errno != ENOENT { throw LinuxError("rmdir", path: path) }
    }

    package func children() -> [Cgroup] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var found: [Cgroup] = []
        while let entry = readdir(directory) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { found.append(child(name)) }
        }
        return found
    }

    /// CPU time of everything that ever ran in the cgroup and below, in µs, from `cpu.stat`.
    package func cpuMicroseconds() throws(LinuxError) -> UInt64 {
        try number("usage_usec", in: "cpu.stat")
    }

    /// Whether any process is in the cgroup or below; false where there is no such cgroup.
    package var isPopulated: Bool { (try? number("populated", in: "cgroup.events")) == 1 }
    package var isFrozen: Bool { (try? number("frozen", in: "cgroup.events")) == 1 }

    /// How often the kernel killed a process here for want of memory; nil without a memory controller.
    package var outOfMemoryKills: UInt64? { try? number("oom_kill", in: "memory.events") }
    /// Bytes in use by the cgroup; nil without a memory controller.
    package var memoryBytes: UInt64? { (try? text(of: "memory.current")).flatMap { UInt64($0) } }

    package func setFrozen(_ frozen: Bool) throws(LinuxError) {
        try write(frozen ? "1" : "0", to: "cgroup.freeze")
    }

    /// SIGKILL to every process in the cgroup and below, also to frozen ones.
    package func kill() throws(LinuxError) {
        do {
            try write("1", to: "cgroup.kill")
        } catch {
            // `cgroup.kill` came with Linux 5.14. A process may fork while we read, hence the rounds.
            guard error.code == ENOENT else { throw error }
            for _ in 0..<100 where isPopulated {
                for pid in allProcesses() { _ = Glibc.kill(pid, SIGKILL) }
                usleep(2000)
            }
        }
    }

    /// The processes of this cgroup alone.
    package func processes() throws(LinuxError) -> [Int32] {
        try text(of: "cgroup.procs", limit: 4 << 20).split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 }
    }

    /// Those of this cgroup and of all below it.
    package func allProcesses() -> [Int32] {
        ((try? processes()) ?? []) + children().flatMap { $0.allProcesses() }
    }

    /// Moves a process of this machine here.
    package func add(_ pid: Int32) throws(LinuxError) {
        try write(String(pid), to: "cgroup.procs")
    }
}

extension Cgroup {
    /// A small file of the cgroup, without its last line break.
    func text(of file: String, limit: Int = 64 * 1024) throws(LinuxError) -> String {
        let descriptor = try Descriptor.open(path + "/" + file, O_RDONLY | O_NONBLOCK)
        let bytes = try descriptor.read(limit: limit)
        return String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    func write(_ value: String, to file: String) throws(LinuxError) {
        let name = path + "/" + file
        let descriptor = try Descriptor.open(name, O_WRONLY)
        do {
            try descriptor.write(Array(value.utf8))
        } catch {
            throw LinuxError("write \(value) to", path: name, code: error.code)
        }
    }

    /// The value after `key` in a file of "key value" lines.
    private func number(_ key: String, in file: String) throws(LinuxError) -> UInt64 {
        for line in try text(of: file).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == key, let value = UInt64(words[1]) { return value }
        }
        throw LinuxError("read", path: path + "/" + file, message: "no line \"\(key) NUMBER\"")
    }
}
