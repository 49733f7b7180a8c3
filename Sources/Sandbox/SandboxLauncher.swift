import Glibc
package import LinuxSystem

/// Starts jobs in their sandboxes, and finds, freezes, stops and counts them afterwards, also after a restart.
///
/// The chain of one job: a supervisor (`mld-exec supervise`, outside), bubblewrap, and `mld-exec exec` (inside), which
/// becomes the command. See ``start(_:profile:)``.
package struct SandboxLauncher: Sendable {
    package internal(set) var capabilities: SandboxCapabilities
    let execPath: String
    let bubblewrapPath: String
    let spawner: Spawner
    let processes: ProcessTable
    /// Nil where it cannot be made: then each job's last step tries for itself, and says why it fails.
    let filter: [UInt8]?
    /// Directories of shared libraries mld-exec needs beyond those of the system.
    let runtime: [String]
    /// Where cgroups of jobs can be made.
    private let cgroups: CgroupTree?
    /// What the cgroups of jobs begin with, as `/proc/PID/cgroup` shows them.
    let jobsPrefix: String?
    /// Descriptors for reading jobs' CPU time and for waiting for their ends. Jobs beyond these are read by name and looked
    /// after once a second: it costs more, but leaves the rest to clients and to starts.
    let clocks: DescriptorBudget
    let watches: DescriptorBudget

    /// Looks at once what can be had; nothing that is missing makes this fail, only what is asked of it later.
    ///
    /// - Parameters:
    ///   - execPath: the program mld-exec.
    ///   - cgroups: where cgroups can be made, or nil for none: then CPU time is summed over the job's processes.
    ///   - spawner: who starts what must become another user or make namespaces.
    ///   - descriptorLimit: how many descriptors this process may have.
    package init(
        execPath: String, bubblewrapPath: String = "/usr/bin/bwrap", cgroups: CgroupTree? = CgroupTree.find(),
        spawner: Spawner = .here, descriptorLimit: Int = 1024
    ) throws(SandboxError) {
        let jobs = Self.jobsFollowedClosely(descriptorLimit: descriptorLimit)
        clocks = DescriptorBudget(jobs)
        watches = DescriptorBudget(2 * jobs)
        guard case .success(let exec) = PathResolver.resolveHere(execPath), access(exec.path, X_OK) == 0 else {
            throw SandboxError(.unavailable, stage: "mld-exec", "\(execPath) is not there or not executable")
        }
        self.execPath = exec.path
        self.bubblewrapPath = bubblewrapPath
        self.spawner = spawner
        processes = ProcessTable()
        runtime = Self.swiftRuntime()
        if spawner != .here {
            // Without it nothing could be told of what it can, and jobs would be started with less than they can have.
            do throws(LinuxError) { _ = try spawner.run(exec.path, arguments: ["features"]) } catch {
                throw SandboxError("mld-spawn.service", error)
            }
        }
        var capabilities = SandboxCapabilities.probe(
            execPath: exec.path, bubblewrapPath: bubblewrapPath, spawner: spawner)
        filter = SandboxCapabilities.standardFilter(execPath: exec.path)
        self.cgroups = cgroups
        if let cgroups {
            do throws(LinuxError) {
                let (jobs, problems) = try cgroups.makeJobsDirectory()
                capabilities.jobsCgroup = jobs
                capabilities.controllers = jobs.handedDown()
                capabilities.cgroupProblems = problems
            } catch {
                capabilities.cgroupProblems = ["no cgroup of our own: \(error)"]
            }
        } else {
            capabilities.cgroupProblems = ["no cgroup v2 hierarchy"]
        }
        self.capabilities = capabilities
        jobsPrefix = capabilities.jobsCgroup.flatMap { jobs in
            cgroups.map { String(jobs.path.dropFirst($0.mount.count)) + "/" }
        }
    }

    /// Makes the directory of the jobs' cgroups once more: whoever holds it was started anew, and it went with the old one.
    func remakeJobsDirectory() throws(LinuxError) {
        do throws(LinuxError) { _ = try cgroups?.makeJobsDirectory() } catch {
            var error = error
            // It is just being restarted: nothing is wrong with the job.
            if error.code == ENOENT { error.code = EAGAIN }
            throw error
        }
    }

    /// Of that many jobs the CPU time is read through an open file; of twice as many the end is waited for.
    ///
    /// A daemon without jobs has about 25 descriptors open, each client takes one and a start about ten: these have 64 and a
    /// quarter of the rest.
    package static func jobsFollowedClosely(descriptorLimit: Int) -> Int { max(descriptorLimit - 64, 0) / 4 }

    /// Where the Swift libraries of this process are, if it has not got them built in: mld-exec was built with them.
    private static func swiftRuntime() -> [String] {
        guard let maps = try? Descriptor.open("/proc/self/maps", O_RDONLY), let bytes = try? maps.read(limit: 4 << 20)
        else { return [] }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let start = line.firstIndex(of: "/") else { continue }
            let path = line[start...]
            if path.hasSuffix("/libswiftCore.so") { return [String(path.dropLast("/libswiftCore.so".count))] }
        }
        return []
    }
}
