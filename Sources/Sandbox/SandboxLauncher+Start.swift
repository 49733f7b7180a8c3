import Glibc
import LinuxSystem

extension SandboxLauncher {
    /// The descriptors of the last step: the standard three, events, the environment, the filter, the status pipe.
    private enum Number {
        static let events: Int32 = 3
        static let environment: Int32 = 4
        static let filter: Int32 = 5
        static let status: Int32 = 6
    }

    /// Starts a job. It runs on, and its exit record is written, whatever becomes of this process.
    ///
    /// - Parameter resolved: what ``resolve(_:runAs:)`` has just made of the profile; nil to have it made here.
    /// - Throws: `badProfile` for what the submitter must mend, `unavailable` where full isolation is required and cannot
    ///   be had. A command that cannot be executed is no error here: it ends with the cause `could-not-start`.
    package func start(
        _ launch: Launch, profile: SandboxProfile, resolved: ResolvedProfile? = nil
    ) throws(SandboxError) -> Started {
        guard let program = launch.argv.first, !program.isEmpty else {
            throw SandboxError(.badProfile, stage: "command", "is empty")
        }
        guard !launch.argv.contains(where: { $0.utf8.contains(0) }) else {
            throw SandboxError(.badProfile, stage: "command", "holds a NUL character")
        }
        if profile.requirement == .full, !capabilities.isFull {
            throw SandboxError(
                .unavailable, stage: "sandbox",
                "the policy requires full isolation, which this machine cannot give: "
                    + capabilities.missing.joined(separator: "; "))
        }
        let changesUser = launch.runAs.map { $0.uid != geteuid() } ?? false
        guard !changesUser || geteuid() == 0 else {
            throw SandboxError(.unavailable, stage: "user", "only root can run a job as another user")
        }
        let resolved = if let resolved { resolved } else { try resolve(profile, runAs: launch.runAs) }
        let cgroup = try makeCgroup(launch.cgroupName)
        do throws(SandboxError) {
            let plan = try ChainPlan(
                launcher: self, launch: launch, profile: profile, resolved: resolved, cgroup: cgroup,
                numbers: (Number.events, Number.environment, Number.filter, Number.status))
            if profile.requirement == .full, !plan.limitProblems.isEmpty {
                throw SandboxError(
                    .unavailable, stage: "sandbox",
                    "the policy requires full isolation; these limits cannot be set: "
                        + plan.limitProblems.joined(separator: "; "))
            }
            return try spawn(launch, plan: plan, cgroup: cgroup)
        } catch {
            try? cgroup?.remove()
            throw error
        }
    }

    /// Follows and checks what a job asks for: when it is submitted, so that a wrong path is refused then, and when it starts.
    ///
    /// It takes as long as the file systems take that the submitter named, up to ten seconds: no place for a thread that others
    /// wait for.
    /// - Throws: `badProfile` with the path and what is wrong with it; transient where there was no answer in time.
    package func resolve(_ profile: SandboxProfile, runAs user: Launch.User?) throws(SandboxError) -> ResolvedProfile {
        try ResolvedProfile(profile, resolver: PathResolver(execPath: execPath, user: user, spawner: spawner))
    }

    /// The job's cgroup with its two leaves. The supervisor has one of its own, so that it is counted with the job but
    /// neither frozen nor killed with it.
    private func makeCgroup(_ name: String) throws(SandboxError) -> Cgroup? {
        guard let jobs = capabilities.jobsCgroup else { return nil }
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/"), name.utf8.count < 200 else {
            throw SandboxError(.system, stage: "cgroup", "\"\(name)\" is no name for a cgroup")
        }
        let cgroup = jobs.child(name)
        do throws(LinuxError) {
            if !cgroup.isPopulated { try cgroup.remove() }
            if access(jobs.path, F_OK) != 0, errno == ENOENT { try remakeJobsDirectory() }
            try cgroup.create()
            try cgroup.child("supervisor").create()
            try cgroup.child("job").create()
        } catch {
            throw SandboxError("cgroup", error)
        }
        return cgroup
    }

    private func spawn(_ launch: Launch, plan: ChainPlan, cgroup: Cgroup?) throws(SandboxError) -> Started {
        do throws(LinuxError) {
            // A record of an earlier attempt must not be taken for this one's.
            if unlink(launch.exitRecordPath) != 0, errno != ENOENT {
                throw LinuxError("remove", path: launch.exitRecordPath)
            }
            let born = try supervise(launch, plan: plan, cgroup: cgroup)
            return Started(
                supervisorPID: born.pid, startTime: try startTime(of: born), cgroupPath: cgroup?.path,
                enforced: plan.enforced, notEnforced: plan.notEnforced)
        } catch {
            if var found = try leftBehind(launch) {
                found.enforced = plan.enforced
                found.notEnforced = plan.notEnforced
                return found
            }
            throw SandboxError("start", error)
        }
    }

    /// What was started all the same: a service that starts jobs may have ended before it said so, and no job may run twice.
    private func leftBehind(_ launch: Launch) throws(SandboxError) -> Started? {
        if spawner == .here { return nil }
        // One that was just being born does not bear its name yet.
        usleep(200_000)
        return try find(record: launch.exitRecordPath, cgroupName: launch.cgroupName)
    }

    /// Starts the supervisor. Its descriptors are closed here when this returns.
    private func supervise(_ launch: Launch, plan: ChainPlan, cgroup: Cgroup?) throws(LinuxError) -> Spawner.Born {
        let input = try Descriptor.open("/dev/null", O_RDONLY)
        let output = try openLog(launch.stdoutPath)
        let errors = try openLog(launch.stderrPath)
        let events =
            if let path = launch.eventsPath { try openLog(path) } else {
                try Descriptor.open("/dev/null", O_RDONLY)
            }
        let environment = try Descriptor.memoryFile("environment", holding: plan.environment)
        // One for each job: what reads it moves its place.
        let filter = try Descriptor.memoryFile("filter", holding: filter ?? [])
        return try spawner.start(
            execPath, arguments: plan.arguments, environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"],
            directory: "/", descriptors: [input.raw, output.raw, errors.raw, events.raw, environment.raw, filter.raw],
            cgroup: cgroup?.child("supervisor"))
    }

    /// Of a process we have started and not waited for: its pid is still its own even if it has ended. It runs already, so where
    /// no descriptor is left to read it with we wait a little for one.
    private func startTime(of born: Spawner.Born) throws(LinuxError) -> UInt64 {
        if let startTime = born.startTime { return startTime }
        let pid = born.pid
        for _ in 0..<500 {
            if let status = processes.status(of: pid) { return status.startTime }
            usleep(2000)
        }
        // Nobody could tell it from another by now, so it must not run on. It is no start to be tried again.
        _ = Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        throw LinuxError("read", path: "/proc/\(pid)/stat", message: "the supervisor cannot be told from others")
    }

    /// Appending, so that a job's second attempt or a shared file loses nothing.
    private func openLog(_ path: String) throws(LinuxError) -> Descriptor {
        try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
    }
}
