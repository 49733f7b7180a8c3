import Glibc
import LinuxSystem

extension ChainPlan {
    /// Keeps the job to its CPUs: by its control group, which it cannot change, else by the affinity of its first process, which
    /// all others inherit. The supervisor is held by neither.
    mutating func cpuArguments() -> [String] {
        guard !profile.cpuSet.isEmpty else { return [] }
        let numbers = profile.cpuSet.map(String.init).joined(separator: ",")
        let promise = "only on CPU\(profile.cpuSet.count == 1 ? "" : "s") \(numbers)"
        var reason = "no cgroup"
        if let cgroup {
            do throws(LinuxError) {
                try cgroup.keep(child: "job", toCPUs: numbers)
                enforced.append("\(promise) (cgroup)")
                return []
            } catch {
                reason = error.code == ENOENT ? "no cpuset controller" : error.description
            }
        }
        enforced.append("\(promise) (affinity: a job can change it; \(reason))")
        return ["--cpus", numbers]
    }
}
