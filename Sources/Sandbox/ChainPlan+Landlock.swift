import Glibc

extension ChainPlan {
    var usesLandlock: Bool { profile.landlock && launcher.capabilities.landlock != nil }

    /// The rules that grant what the mounts are meant to grant, and say so.
    mutating func landlockArguments(home: String) -> [String] {
        guard profile.landlock else {
            notEnforced.append("Landlock: switched off by the policy")
            return []
        }
        guard let version = launcher.capabilities.landlock else {
            notEnforced.append("Landlock: \(launcher.capabilities.landlockProblem ?? "not in this kernel")")
            return []
        }
        let grants = isWrapped ? grantsInside(home: home) : grantsOutside()
        var words = ["--landlock"]
        for path in grants.read { words += ["--grant-read", path] }
        for path in grants.use { words += ["--grant-use", path] }
        for path in grants.write { words += ["--grant-write", path] }
        var held = ["files"]
        // In a network namespace of its own the job may talk to itself, which a rule for TCP could not tell apart.
        if !isWrapped, !profile.network, version >= 4 {
            words.append("--deny-tcp")
            held.append("TCP")
        }
        if version >= 6 { held.append("signals and abstract sockets to others") }
        enforced.append(
            "\(held.joined(separator: ", ")) held by Landlock\(isWrapped ? " too" : "") (version \(version))")
        if !isWrapped { describeExposure() }
        return words
    }

    private struct Grants {
        var read: [String] = []
        var use: [String] = []
        var write: [String] = []
    }

    private var asked: Grants {
        Grants(
            read: resolved.binds.filter { !$0.writable }.map(\.target.path), use: resolved.devices.map(\.path),
            write: resolved.binds.filter(\.writable).map(\.target.path) + [resolved.output?.path].compactMap { $0 })
    }

    /// The sandbox's tree holds nothing but what may be read.
    private func grantsInside(home: String) -> Grants {
        var grants = asked
        grants.read = ["/"]
        // Root may write the kernel's settings by its number alone, so it gets nothing to write there.
        grants.use += runsAsRoot ? ["/dev"] : ["/dev", "/proc"]
        grants.write += ["/tmp", "/var/tmp", "/dev/shm", home]
        return grants
    }

    /// On the machine's own tree: the system, and what the sandbox would have shown.
    private func grantsOutside() -> Grants {
        var grants = asked
        grants.read += ResolvedProfile.systemTrees + ["/proc", "/sys/devices/system/cpu", "/sys/devices/system/node"]
        grants.read += (resolved.programs + launcher.runtimeBinds()).map(\.path)
        if profile.network, case .success(let target) = PathResolver.resolveHere("/etc/resolv.conf") {
            grants.read.append(target.path)
        }
        grants.use += ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts"].map { "/dev/" + $0 }
        grants.write.append("/dev/shm")
        return grants
    }

    /// Rules only add: what of mld lies inside a granted folder stays open without a mount over it.
    private mutating func describeExposure() {
        if !resolved.masks.isEmpty {
            notEnforced.append("mld's own files are not hidden: " + resolved.masks.map(\.path).joined(separator: ", "))
        }
        notEnforced.append("/dev/shm is the machine's own; there is no private /tmp: TMPDIR is the working directory")
    }
}
