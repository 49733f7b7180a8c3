import Glibc
import LinuxSystem

/// The whole command line of one job's chain, and what it will hold and not hold.
struct ChainPlan {
    /// Of mld-exec, from `supervise` on.
    private(set) var arguments: [String] = []
    private(set) var environment: [UInt8] = []
    var enforced: [String] = []
    var notEnforced: [String] = []
    /// The limits of the control group that could not be set, and why.
    var limitProblems: [String] = []
    /// The limit its supervisor has to hold, where no cgroup does.
    var watchedMemory: Int64?

    let launcher: SandboxLauncher
    let launch: Launch
    let profile: SandboxProfile
    let resolved: ResolvedProfile
    let cgroup: Cgroup?

    var isWrapped: Bool { launcher.capabilities.bubblewrap != nil }
    var changesUser: Bool { launch.runAs.map { $0.uid != geteuid() } ?? false }
    /// The job's own user is root.
    var runsAsRoot: Bool { geteuid() == 0 && !changesUser }

    init(
        launcher: SandboxLauncher, launch: Launch, profile: SandboxProfile, resolved: ResolvedProfile, cgroup: Cgroup?,
        numbers: (events: Int32, environment: Int32, filter: Int32, status: Int32)
    ) throws(SandboxError) {
        self.launcher = launcher
        self.launch = launch
        self.profile = profile
        self.resolved = resolved
        self.cgroup = cgroup
        let account = JobEnvironment.Account(uid: launch.runAs?.uid ?? geteuid())
        let home = isWrapped ? account.sandboxHome : account.home
        let eventsDescriptor = launch.eventsPath == nil ? nil : numbers.events
        environment = JobEnvironment.bytes(
            try JobEnvironment.make(
                account: account, home: home,
                // Without a private /tmp, Landlock closes the machine's.
                temporary: !isWrapped && usesLandlock ? resolved.workdir.path : nil, workdir: resolved.workdir.path,
                cpus: profile.cpus, eventsDescriptor: eventsDescriptor, own: launch.environment))

        var last = ["exec", "--status-fd", String(numbers.status), "--env-fd", String(numbers.environment)]
        last += ["--close-fds-from", String(eventsDescriptor == nil ? numbers.events : numbers.events + 1)]
        last += ["--chdir", resolved.workdir.path]
        if isWrapped {
            last.append("--init")
            for target in resolved.binds.map(\.target) + [resolved.output].compactMap({ $0 }) {
                last += ["--verify", target.identity]
            }
        }
        last += cpuArguments()
        for (name, value) in applyLimits() { last += ["--rlimit", "\(name)=\(value)"] }
        if let user = launch.runAs, user.uid != geteuid() { last += user.options }
        last += filterArguments(numbers.filter) + landlockArguments(home: home)
        last += ["--"] + launch.argv

        arguments = ["supervise", "--record", launch.exitRecordPath, "--grace", String(max(0, launch.graceSeconds))]
        if let limit = launch.timeLimitSeconds { arguments += ["--time-limit", String(max(0, limit))] }
        arguments += launch.outputOptions + launch.warningOptions
        if let watchedMemory, watchedMemory > 0 { arguments += ["--memory-limit", String(watchedMemory)] }
        if let cgroup { arguments += ["--cgroup", cgroup.child("job").path] }
        arguments += ["--pass", String(numbers.status)]
        if let version = launcher.capabilities.bubblewrap {
            var shown = resolved
            shown.programs += launcher.runtimeBinds()
            let wrapper = BubblewrapArguments(
                profile: shown, network: profile.network, home: home, execPath: launcher.execPath,
                temporaryBytes: profile.memoryLimit, isRoot: geteuid() == 0, changesUser: changesUser)
            arguments += ["--wrapped", "--", launcher.bubblewrapPath] + wrapper.make()
            arguments += ["--", BubblewrapArguments.execInside] + last
            describeIsolation(version: version)
        } else {
            arguments += ["--", launcher.execPath] + last
            describeBareness()
        }
    }

    /// The filter of system calls, with the policy's changes.
    private mutating func filterArguments(_ descriptor: Int32) -> [String] {
        guard let refused = launcher.capabilities.refusedCalls else {
            notEnforced.append("system calls: \(launcher.capabilities.seccompProblem ?? "no seccomp")")
            return []
        }
        var words = ["--seccomp", "default"]
        for name in profile.refusedCalls { words += ["--refuse-call", name] }
        // Where namespaces do not hide other processes, some of these would reach them.
        let allowed = isWrapped ? profile.allowedCalls : []
        for name in allowed { words += ["--allow-call", name] }
        enforced.append("\(refused) system calls refused (seccomp), no new privileges")
        if !profile.refusedCalls.isEmpty {
            enforced.append("refused besides by the policy: " + profile.refusedCalls.joined(separator: ", "))
        }
        if !allowed.isEmpty {
            notEnforced.append("system calls allowed by the policy: " + allowed.joined(separator: ", "))
        } else if !profile.allowedCalls.isEmpty {
            enforced.append(
                "refused here though the policy allows them, for want of namespaces: "
                    + profile.allowedCalls.joined(separator: ", "))
        }
        // The filter without changes was made when the daemon started.
        let isStandard = profile.refusedCalls.isEmpty && allowed.isEmpty && launcher.filter != nil
        return isStandard ? ["--seccomp-fd", String(descriptor)] : words
    }

    private mutating func describeIsolation(version: String) {
        let writable = resolved.binds.filter(\.writable).map(\.target.path) + [resolved.output?.path].compactMap { $0 }
        enforced.append(
            "read-only system, private /tmp and home, own processes and devices (bubblewrap \(version)); writable: "
                + writable.joined(separator: ", "))
        let readable = resolved.binds.filter { !$0.writable && !resolved.given.contains($0.target) }.map(\.target.path)
        if !readable.isEmpty { enforced.append("readable besides, as asked: " + readable.joined(separator: ", ")) }
        if !resolved.given.isEmpty {
            enforced.append(
                "readable besides, given by the policy: " + resolved.given.map(\.path).joined(separator: ", "))
        }
        if !resolved.devices.isEmpty {
            enforced.append(
                "no devices but null, zero, full, random, urandom, tty and: "
                    + resolved.devices.map(\.path).joined(separator: ", "))
        }
        if !profile.network { enforced.append("no network") }
        enforced.append("energy meters, other jobs and mld's own files are hidden")
    }

    /// What no other wall makes up for where bubblewrap is missing.
    private mutating func describeBareness() {
        let reason = launcher.capabilities.bubblewrapProblem ?? "no bubblewrap"
        guard usesLandlock, let version = launcher.capabilities.landlock else {
            notEnforced.append(
                "files, network, meters and other processes are as visible as to the user outside: " + reason)
            return
        }
        var open = ["the names of other processes and of files"]
        if version < 6 { open.append("signals to them, abstract Unix sockets") }
        if !profile.network { open.append(version < 4 ? "the network" : "all of the network but TCP") }
        notEnforced.append(open.joined(separator: ", ") + " are as open as to the user outside: " + reason)
    }
}

extension SandboxLauncher {
    /// The Swift libraries, where they are not in a directory every job sees.
    func runtimeBinds() -> [ResolvedPath] {
        runtime.compactMap { try? PathResolver.resolveHere($0).get() }
            .filter { target in !["/usr", "/opt"].contains(where: target.isInside) }
    }
}
