import Glibc
import LinuxSystem

extension ChainPlan {
    /// Limits by cgroup where the controllers are, by setrlimit where that can stand in.
    /// - Returns: the limits for setrlimit.
    mutating func applyLimits() -> [(name: String, value: Int64)] {
        var limits: [(name: String, value: Int64)] = []
        // The job's cgroup also holds the supervisor and the two processes of the sandbox.
        let wanted = CgroupLimits(
            memoryBytes: profile.memoryLimit, processes: profile.maxProcesses.map { $0 + 3 }, cpus: Double(profile.cpus)
        )
        let (applied, refused) = cgroup?.apply(wanted) ?? ([], [:])
        limitProblems = refused.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        func reason(_ file: String) -> String { cgroup == nil ? "no cgroup" : refused[file] ?? "no cgroup" }

        if cgroup != nil {
            enforced.append("own cgroup: CPU time is counted whole, freezing and killing reach every process")
        } else {
            notEnforced.append("own cgroup: CPU time is summed over the processes seen")
        }
        if let bytes = profile.memoryLimit {
            if applied.contains("memory.max") {
                enforced.append("memory limit \(bytes) bytes for the whole job (cgroup)")
            } else {
                // Not the address space: runtimes with a just-in-time compiler reserve far more than they use.
                limits.append(("data", bytes))
                watchedMemory = bytes
                enforced.append(
                    "memory limit \(bytes) bytes for the whole job, watched once a second by its supervisor, and for the "
                        + "data of each process (RLIMIT_DATA)")
            }
        }
        if applied.contains("cpu.max") {
            enforced.append("at most \(profile.cpus) CPUs (cgroup)")
        } else {
            notEnforced.append(
                "at most \(profile.cpus) CPUs: \(reason("cpu.max")); numeric libraries are told by OMP_NUM_THREADS")
        }
        if let count = profile.maxProcesses {
            if applied.contains("pids.max") {
                enforced.append("at most \(count) processes and threads (cgroup)")
            } else if let limit = limitOfProcesses(count) {
                limits.append(limit)
            } else {
                notEnforced.append("at most \(count) processes: \(reason("pids.max"))")
            }
        }
        if let bytes = profile.maxFileSize {
            limits.append(("fsize", bytes))
            enforced.append("no file above \(bytes) bytes")
        }
        if let count = profile.maxOpenFiles {
            limits.append(("nofile", Int64(count)))
            enforced.append("at most \(count) open files in each process")
        }
        limits.append(coreLimit())
        return limits
    }

    /// The stand-in for the pids controller; nil where there is none.
    private mutating func limitOfProcesses(_ count: Int) -> (name: String, value: Int64)? {
        if isWrapped, geteuid() != 0 {
            // Counted per user namespace, which is the job's own.
            enforced.append("at most \(count) processes and threads (RLIMIT_NPROC)")
            return ("nproc", Int64(count) + 2)
        }
        // Root is never counted; of another user the kernel counts all processes, wherever they are.
        guard changesUser, let user = launch.runAs, user.uid != 0, let others = launcher.processes.tasks(of: user.uid)
        else { return nil }
        enforced.append(
            "at most \(count) processes and threads beyond the \(others) its user had at the start (RLIMIT_NPROC)")
        return ("nproc", Int64(others + count) + 2)
    }

    private mutating func coreLimit() -> (name: String, value: Int64) {
        if profile.maxCoreSize > 0 {
            enforced.append("core dumps up to \(profile.maxCoreSize) bytes")
            return ("core", profile.maxCoreSize)
        }
        enforced.append("no core dumps")
        // One byte is none, and, unlike zero, also keeps the kernel from starting a program that collects dumps, outside
        // of every sandbox.
        return ("core", 1)
    }
}

extension ProcessTable {
    /// Processes and threads of a user on the whole machine, as RLIMIT_NPROC counts them; nil when it cannot be told.
    func tasks(of uid: UInt32) -> Int? {
        guard let pids = try? pids() else { return nil }
        var count = 0
        for pid in pids {
            guard let file = try? Descriptor.open("\(procfs)/\(pid)/status", O_RDONLY | O_NONBLOCK),
                let bytes = try? file.read(limit: 16 * 1024)
            else { continue }
            var isTheirs = false
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard words.count > 1 else { continue }
                if words[0] == "Uid:" { isTheirs = UInt32(words[1]) == uid }
                if words[0] == "Threads:", isTheirs { count += Int(words[1]) ?? 1 }
            }
        }
        return count
    }
}
