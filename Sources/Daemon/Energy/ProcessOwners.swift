import JobAPI
import LinuxSystem
import Metering
import Sandbox

/// Finds the job a process belongs to: by its cgroup, or where jobs have none, by descent from the job's supervisor.
struct ProcessOwners {
    private let processes: ProcessTable
    private let cgroups: CgroupTree?
    private let ownPID: Int32

    init(roots: SystemRoots, ownPID: Int32) {
        processes = ProcessTable(procfs: roots.procfs)
        cgroups = CgroupTree.find(cgroupfs: roots.cgroupfs, procfs: roots.procfs)
        self.ownPID = ownPID
    }

    /// Nil for a process that is not there (any more).
    func account(of pid: Int32, among jobs: some Collection<EnergyMeter.Tracked>) -> Account? {
        if pid == ownPID { return .daemon }
        guard processes.status(of: pid) != nil else { return nil }
        let place = cgroups?.cgroup(of: pid, in: processes)
        let ancestors = ancestors(of: pid)
        let job = jobs.first { job in
            guard let process = job.process else { return false }
            if let path = process.cgroupPath, let place { return Cgroup(path: path).contains(place) }
            return ancestors.contains(process.supervisorPID)
        }
        return job.map { .job($0.id.number) } ?? .system
    }

    private func ancestors(of pid: Int32) -> Set<Int32> {
        var found: Set<Int32> = []
        var next = pid
        // Each step is one more process; a table that changes meanwhile may hold a ring.
        while next > 1, found.insert(next).inserted, let parent = processes.status(of: next)?.parent { next = parent }
        return found
    }
}
