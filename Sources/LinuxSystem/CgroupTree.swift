import Glibc

/// Where a daemon may make cgroups: the v2 hierarchy and the daemon's own place in it.
package struct CgroupTree: Hashable, Sendable {
    /// The directory of the hierarchy's root.
    package let mount: String
    /// The daemon's own cgroup, `/` or `/system.slice/mld.service`.
    package let own: String

    package init(mount: String, own: String) {
        self.mount = mount
        self.own = own
    }

    /// - Parameter cgroupfs: `/sys/fs/cgroup` or what stands in for it: the v2 hierarchy itself, or on a machine with
    ///   both versions the directory that holds it as `unified`.
    /// - Returns: nil where there is no v2 hierarchy.
    package static func find(cgroupfs: String = "/sys/fs/cgroup", procfs: String = "/proc") -> CgroupTree? {
        let candidates = [cgroupfs, cgroupfs + "/unified"]
        guard let mount = candidates.first(where: { access($0 + "/cgroup.controllers", F_OK) == 0 }),
            let own = ProcessTable(procfs: procfs).cgroupPath("self")
        else { return nil }
        return CgroupTree(mount: mount, own: own)
    }

    /// The same hierarchy, seen from another place of it.
    /// - Parameter file: what `mld-exec hold` wrote: the place as `/proc/PID/cgroup` names it.
    package func held(by file: String) throws -> CgroupTree {
        let place = try SystemFile.word(file)
        guard place.hasPrefix("/"), place != "/", !place.split(separator: "/").contains("..") else {
            throw LinuxError("read", path: file, message: "it names no control group")
        }
        return CgroupTree(mount: mount, own: place)
    }

    /// The path after `0::`, the line of version 2 in `/proc/PID/cgroup`.
    package static func ownPath(parsing text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
            let path = String(line.dropFirst(3))
            // "/.." is what a cgroup namespace shows of a place outside itself: nowhere we could work.
            return path.split(separator: "/").contains("..") ? nil : path
        }
        return nil
    }

    /// The cgroup a process is in; nil if there is no such process (any more), or it is outside of what we see.
    package func cgroup(of pid: Int32, in table: ProcessTable = ProcessTable()) -> Cgroup? {
        table.cgroupPath(of: pid).map { Cgroup(path: $0 == "/" ? mount : mount + $0) }
    }

    package var root: Cgroup { Cgroup(path: own == "/" ? mount : mount + own) }

    /// The controllers that could be had below the own cgroup.
    package func controllers() -> Set<String> {
        Set(((try? root.text(of: "cgroup.controllers")) ?? "").split(separator: " ").map(String.init))
    }

    /// Makes the directory the jobs' cgroups live in, and hands the wanted controllers down to it.
    ///
    /// A cgroup that hands controllers down may not hold processes, so the daemon first moves itself to `daemon` next
    /// to `jobs`; in the hierarchy's root, which is exempt, and in a cgroup shared with others (a login session) it stays
    /// where it is. Call once, at start.
    /// - Parameter optional: controllers with a stand-in, of which nothing is said where they are missing.
    /// - Returns: the directory, and a sentence for each controller that could not be had.
    package func makeJobsDirectory(
        controllers needed: [String] = ["cpu", "memory", "pids"], optional: [String] = ["cpuset"]
    ) throws(LinuxError) -> (jobs: Cgroup, problems: [String]) {
        // A restarted daemon was started in its unit's cgroup or, adopted from a terminal, in `daemon` already.
        let inDaemon = own.hasSuffix("/daemon")
        let home = inDaemon ? Cgroup(path: String(root.path.dropLast("/daemon".count))) : root
        let jobs = home.child(own == "/" ? "mld-jobs" : "jobs")
        if mkdir(jobs.path, 0o755) != 0, errno != EEXIST { throw LinuxError("mkdir", path: jobs.path) }
        let wanted = needed + optional
        let available = controllers().intersection(wanted)
        var problems = needed.filter { !available.contains($0) }
            .map { "no cgroup v2 controller \"\($0)\" for \(home.path)" }
        if !available.isEmpty, own != "/", !inDaemon, try home.processes() == [getpid()] {
            let daemon = home.child("daemon")
            if mkdir(daemon.path, 0o755) != 0, errno != EEXIST { throw LinuxError("mkdir", path: daemon.path) }
            try daemon.add(getpid())
        }
        for directory in [home, jobs] {
            for controller in wanted where available.contains(controller) {
                do throws(LinuxError) {
                    try directory.write("+" + controller, to: "cgroup.subtree_control")
                } catch {
                    problems.append("cgroup controller \"\(controller)\": \(error)")
                }
            }
        }
        for probe in jobs.children() where probe.name.hasPrefix(Cgroup.probePrefix) && !probe.isPopulated {
            // Of a daemon that was killed while it tried.
            _ = try? probe.remove()
        }
        try jobs.tryOut()
        return (jobs, problems)
    }
}

extension Cgroup {
    /// The controllers that the cgroups below have.
    package func handedDown() -> Set<String> {
        Set(((try? text(of: "cgroup.subtree_control")) ?? "").split(separator: " ").map(String.init))
    }

    fileprivate static let probePrefix = "probe-"

    fileprivate var name: Substring { path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...] }

    /// Starts a process in a cgroup below. Rights on the directory alone do not tell: the process also has to leave
    /// where it comes from.
    fileprivate func tryOut() throws(LinuxError) {
        let probe = child("\(Self.probePrefix)\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
        try probe.create()
        defer { _ = try? probe.remove() }
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let process = try ProcessSpawner.start(
            "/bin/true", arguments: [], environment: [:], descriptors: [null.raw, null.raw, null.raw], cgroup: probe)
        var status: Int32 = 0
        while waitpid(process.pid, &status, 0) < 0, errno == EINTR {}
    }
}

/// What a cgroup may use; nil is no limit.
package struct CgroupLimits: Hashable, Sendable {
    package var memoryBytes: Int64?
    package var processes: Int?
    /// CPU seconds per second.
    package var cpus: Double?
    /// 1-10000; the kernel's default is 100.
    package var cpuWeight: Int?

    package init(memoryBytes: Int64? = nil, processes: Int? = nil, cpus: Double? = nil, cpuWeight: Int? = nil) {
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.cpus = cpus
        self.cpuWeight = cpuWeight
    }
}

extension Cgroup {
    /// Sets each wanted limit whose controller is there.
    /// - Returns: the files written, and those that could not be, with the reason.
    package func apply(_ limits: CgroupLimits) -> (applied: Set<String>, refused: [String: String]) {
        var wanted: [(file: String, value: String)] = []
        if let bytes = limits.memoryBytes { wanted.append(("memory.max", String(bytes))) }
        if let count = limits.processes { wanted.append(("pids.max", String(count))) }
        if let cpus = limits.cpus {
            // Quota and period in µs; the kernel takes no quota under 1 ms.
            let quota = min(max(cpus * 100_000, 1000), 1e12)
            wanted.append(("cpu.max", "\(Int64(quota)) 100000"))
        }
        if let weight = limits.cpuWeight { wanted.append(("cpu.weight", String(min(max(weight, 1), 10_000)))) }
        var applied: Set<String> = []
        var refused: [String: String] = [:]
        for (file, value) in wanted {
            do throws(LinuxError) {
                try write(value, to: file)
                applied.insert(file)
            } catch {
                let controller = file.prefix { $0 != "." }
                refused[file] =
                    error.code == ENOENT ? "this cgroup has no \(controller) controller" : error.description
            }
        }
        // Without this the limit would only move memory to swap; a kernel without swap accounting has no such file.
        if applied.contains("memory.max") { _ = try? write("0", to: "memory.swap.max") }
        return (applied, refused)
    }
}

extension Cgroup {
    /// Keeps what will run in the child of that name to these CPUs, a list as the kernel writes it. Memory is not bound: the
    /// kernel takes it near the CPUs as long as there is some, and elsewhere before a job had to die for want of it.
    package func keep(child name: String, toCPUs list: String) throws(LinuxError) {
        try write("+cpuset", to: "cgroup.subtree_control")
        try child(name).write(list, to: "cpuset.cpus")
    }
}
