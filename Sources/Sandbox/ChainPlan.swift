import Glibc
import LinuxSystem

/// The whole command line of one job's chain, and what it will hold and not hold.
struct ChainPlan {
    /// Of mld-exec, from `supervise` on.
    private(set) var arguments: [String] = []
    private(set) var environment: [UInt8] = []
    private(set) var enforced: [String] = []
    private(set) var notEnforced: [String] = []

    init(
        launcher: SandboxLauncher, launch: Launch, profile: SandboxProfile, resolved: ResolvedProfile, cgroup: Cgroup?,
        numbers: (events: Int32, environment: Int32, status: Int32)
    ) throws(SandboxError) {
        let capabilities = launcher.capabilities
        let isWrapped = capabilities.bubblewrap != nil
        let account = JobEnvironment.Account(uid: launch.runAs?.uid ?? geteuid())
        let home = isWrapped ? account.sandboxHome : account.home
        let eventsDescriptor = launch.eventsPath == nil ? nil : numbers.events
        environment = JobEnvironment.bytes(
            try JobEnvironment.make(
                account: account, home: home, workdir: resolved.workdir.path, cpus: profile.cpus,
                eventsDescriptor: eventsDescriptor, own: launch.environment))

        let limits = applyLimits(profile, cgroup: cgroup, isWrapped: isWrapped)
        var last = ["exec", "--status-fd", String(numbers.status), "--env-fd", String(numbers.environment)]
        last += ["--close-fds-from", String(eventsDescriptor == nil ? numbers.events : numbers.events + 1)]
        last += ["--chdir", resolved.workdir.path]
        if isWrapped {
            last.append("--init")
            for target in resolved.binds.map(\.target) + [resolved.output].compactMap({ $0 }) {
                last += ["--verify", target.identity]
            }
        }
        for (name, value) in limits { last += ["--rlimit", "\(name)=\(value)"] }
        if let user = launch.runAs, user.uid != geteuid() { last += user.options }
        if let refused = capabilities.refusedCalls {
            last += ["--seccomp", "default"]
            enforced.append("\(refused) system calls refused (seccomp), no new privileges")
        } else {
            notEnforced.append("system calls: \(capabilities.seccompProblem ?? "no seccomp")")
        }
        last += ["--"] + launch.argv

        arguments = ["supervise", "--record", launch.exitRecordPath, "--grace", String(max(0, launch.graceSeconds))]
        if let limit = launch.timeLimitSeconds { arguments += ["--time-limit", String(max(0, limit))] }
        if let cgroup { arguments += ["--cgroup", cgroup.child("job").path] }
        arguments += ["--pass", String(numbers.status)]
        if let version = capabilities.bubblewrap {
            var shown = resolved
            shown.programs += launcher.runtimeBinds()
            let wrapper = BubblewrapArguments(
                profile: shown, network: profile.network, home: home, execPath: launcher.execPath,
                temporaryBytes: profile.memoryLimit, isRoot: geteuid() == 0,
                changesUser: launch.runAs.map { $0.uid != geteuid() } ?? false)
            arguments += ["--wrapped", "--", launcher.bubblewrapPath] + wrapper.make()
            arguments += ["--", BubblewrapArguments.execInside] + last
            describeIsolation(version: version, profile: profile, resolved: resolved)
        } else {
            arguments += ["--", launcher.execPath] + last
            notEnforced.append(
                "files, network, meters and other processes are as visible as to the user outside: "
                    + (capabilities.bubblewrapProblem ?? "no bubblewrap"))
        }
    }

    private mutating func describeIsolation(version: String, profile: SandboxProfile, resolved: ResolvedProfile) {
        let writable = resolved.binds.filter(\.writable).map(\.target.path) + [resolved.output?.path].compactMap { $0 }
        enforced.append(
            "read-only system, private /tmp and home, own processes and devices (bubblewrap \(version)); writable: "
                + writable.joined(separator: ", "))
        if !profile.network { enforced.append("no network") }
        enforced.append("energy meters, other jobs and mld's own files are hidden")
    }

    /// Limits by cgroup where the controllers are, by setrlimit where that can stand in.
    /// - Returns: the limits for setrlimit.
    private mutating func applyLimits(
        _ profile: SandboxProfile, cgroup: Cgroup?, isWrapped: Bool
    ) -> [(name: String, value: Int64)] {
        var limits: [(name: String, value: Int64)] = [("core", 0)]
        // The job's cgroup also holds the supervisor and the two processes of the sandbox.
        let wanted = CgroupLimits(
            memoryBytes: profile.memoryLimit, processes: profile.maxProcesses.map { $0 + 3 }, cpus: Double(profile.cpus)
        )
        let (applied, refused) = cgroup?.apply(wanted) ?? ([], [:])
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
                enforced.append("memory limit \(bytes) bytes for the data of each process (RLIMIT_DATA)")
                notEnforced.append("memory limit over all processes of the job: \(reason("memory.max"))")
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
            } else if isWrapped, geteuid() != 0 {
                // Counted per user namespace, which is the job's own; outside one it would count all of the user's.
                limits.append(("nproc", Int64(count) + 2))
                enforced.append("at most \(count) processes and threads (RLIMIT_NPROC)")
            } else {
                notEnforced.append("at most \(count) processes: \(reason("pids.max"))")
            }
        }
        if let bytes = profile.maxFileSize {
            limits.append(("fsize", bytes))
            enforced.append("no file above \(bytes) bytes")
        }
        return limits
    }
}

extension SandboxLauncher {
    /// The Swift libraries, where they are not in a directory every job sees.
    func runtimeBinds() -> [ResolvedPath] {
        runtime.compactMap { try? PathResolver.resolveHere($0).get() }
            .filter { target in !["/usr", "/opt"].contains(where: target.isInside) }
    }
}
