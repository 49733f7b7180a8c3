import LinuxSystem

extension SandboxLauncher {
    /// Holds a job that runs to so much CPU time: by its cgroup's quota, else by keeping it on so many CPUs of its own.
    /// - Parameter cpus: those it was granted; empty where none are.
    /// - Returns: by which means, for people.
    package func limit(_ started: Started, to count: Int, among cpus: [Int]) throws(SandboxError) -> String {
        if let path = started.cgroupPath {
            let (applied, _) = Cgroup(path: path).apply(CgroupLimits(cpus: Double(count)))
            if applied.contains("cpu.max") { return "cpu.max" }
        }
        guard !cpus.isEmpty else {
            throw SandboxError(
                .unavailable, stage: "cap", "this machine has no cpu controller, and the job no CPUs of its own")
        }
        return try keep(started, on: Array(cpus.prefix(max(1, count))))
    }

    /// Keeps a job that runs on these CPUs: by its cgroup, else by the affinity of each of its threads, which it can change.
    @discardableResult
    package func keep(_ started: Started, on cpus: [Int]) throws(SandboxError) -> String {
        if let path = started.cgroupPath {
            do throws(LinuxError) {
                try Cgroup(path: path).keep(child: "job", toCPUs: cpus.map(String.init).joined(separator: ","))
                return "cpuset"
            } catch {
                // Without the controller affinity has to do.
            }
        }
        do throws(LinuxError) {
            // Twice: what was started meanwhile may have the old ones.
            for _ in 0..<2 {
                for pid in processes(of: started) { try ThreadAffinity.keep(process: pid, on: cpus) }
            }
        } catch {
            throw SandboxError("set affinity", error)
        }
        return "affinity"
    }

    /// The job's processes without its supervisor.
    private func processes(of started: Started) -> [Int32] {
        let all =
            started.cgroupPath.map { Cgroup(path: $0).allProcesses() }
            ?? ProcessSnapshot().tree(of: started.supervisorPID, startTime: started.startTime)
        return all.filter { $0 != started.supervisorPID }
    }
}
