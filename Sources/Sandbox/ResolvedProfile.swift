import Glibc
import LinuxSystem

/// A profile whose paths have been followed, checked and found harmless.
package struct ResolvedProfile: Sendable {
    struct Bind: Hashable, Sendable {
        var target: ResolvedPath
        var writable: Bool
    }

    var workdir: ResolvedPath
    /// All that the submitter named, the working directory included, and what the policy gives; parents come before children.
    var binds: [Bind] = []
    var programs: [ResolvedPath] = []
    /// Of the binds, those the policy gives.
    var given: [ResolvedPath] = []
    var devices: [ResolvedPath] = []
    /// Those hidden paths that a bind would otherwise show.
    var masks: [ResolvedPath] = []
    var output: ResolvedPath?

    /// The whole trees every job sees read-only, and those no bind may touch.
    static let systemTrees = [
        "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
    ]
    private static let unwritableTrees = systemTrees.filter { $0 != "/opt" } + ["/boot"]
    static let kernelTrees = ["/proc", "/sys", "/dev"]
    /// Directories that hold other people's or other programs' things; only what lies below can be named.
    static let sharedDirectories = [
        "/", "/home", "/tmp", "/var", "/var/lib", "/var/tmp", "/run", "/opt", "/srv", "/mnt", "/media", "/boot",
    ]

    init(_ profile: SandboxProfile, resolver: PathResolver) throws(SandboxError) {
        // A job without a directory of its own works where its output goes.
        let worksInOutput = profile.workdir == profile.outputDirectory
        let asked =
            (worksInOutput ? [] : [(profile.workdir, true, "workdir")])
            + profile.readWrite.map { ($0, true, "read-write") } + profile.readOnly.map { ($0, false, "read-only") }
        for (path, _, key) in asked { try Self.checkText(path, key) }
        let answers = try resolver.resolve(asked.map(\.0))
        var found: [(target: ResolvedPath, writable: Bool, key: String)] = []
        for (answer, (_, writable, key)) in zip(answers, asked) {
            switch answer {
            case .success(let target):
                try Self.checkText(target.path, key)
                found.append((target, writable, key))
            case .failure(var error):
                error.stage = key
                throw error
            }
        }
        workdir = worksInOutput ? try Self.own(profile.workdir, "workdir") : found[0].target
        guard workdir.isDirectory else {
            throw SandboxError(.badProfile, stage: "workdir", "\(workdir.path) is not a directory")
        }
        let hidden = profile.hidden.compactMap { try? PathResolver.resolveHere($0).get() }
        let readable = AllowedTrees(profile.readOnlyUnder, home: profile.home)
        let writeable = AllowedTrees(profile.readWriteUnder, home: profile.home)
        given = try Self.given(profile.given, hidden: hidden)
        for (target, writable, key) in found {
            // What every job sees anyway needs no word of the policy.
            let isSeen = !writable && (Self.systemTrees + given.map(\.path)).contains(where: target.isInside)
            guard isSeen || (writable ? writeable : readable).contains(target) else {
                throw SandboxError(
                    .badProfile, stage: key,
                    "\(target.path) lies where the policy lets no job \(writable ? "write" : "read")")
            }
            try Self.refuseDangerous(target, writable: writable, key: key, hidden: hidden)
            // What every job sees anyway needs no mount.
            if !writable, Self.systemTrees.contains(where: target.isInside) { continue }
            if let known = binds.firstIndex(where: { $0.target.isSame(as: target) }) {
                binds[known].writable = binds[known].writable || writable
            } else {
                binds.append(Bind(target: target, writable: writable))
            }
        }
        for target in given where !binds.contains(where: { $0.target.isSame(as: target) }) {
            binds.append(Bind(target: target, writable: false))
        }
        binds.sort { $0.target.path < $1.target.path }
        masks = hidden.filter { mask in binds.contains { mask.isInside($0.target.path) } }
            .sorted { $0.path < $1.path }
        programs = try Self.programs(profile.programs)
        devices = try Self.devices(profile.devices)
        if let path = profile.outputDirectory {
            output = try Self.own(path, "output directory")
        }
    }

    private static func checkText(_ path: String, _ key: String) throws(SandboxError) {
        guard path.hasPrefix("/"), path.utf8.count < 4096, !path.unicodeScalars.contains(where: { $0.value < 0x20 })
        else {
            throw SandboxError(
                .badProfile, stage: key, "\"\(path.prefix(200))\" is not an absolute path of printable characters")
        }
    }

    private static func refuseDangerous(
        _ target: ResolvedPath, writable: Bool, key: String, hidden: [ResolvedPath]
    ) throws(SandboxError) {
        let path = target.path
        var reason: String?
        if kernelTrees.contains(where: target.isInside) {
            reason = "is part of the kernel's own file systems"
        } else if writable, unwritableTrees.contains(where: target.isInside) {
            reason = "belongs to the system"
        } else if sharedDirectories.contains(path), writable || path != "/opt" {
            reason = "is a system directory; name a directory below it"
        } else if let owner = hidden.first(where: { target.isInside($0.path) }) {
            reason = "lies in \(owner.path), which belongs to mld"
        }
        if let reason {
            throw SandboxError(.badProfile, stage: key, "\(path) \(reason)")
        }
    }

    /// The daemon's own additions: refused only when absent.
    static func own(_ path: String, _ stage: String) throws(SandboxError) -> ResolvedPath {
        do {
            return try PathResolver.resolveHere(path).get()
        } catch {
            throw SandboxError(.system, stage: stage, error.message, isTransient: error.isTransient)
        }
    }

    private static func programs(_ paths: [String]) throws(SandboxError) -> [ResolvedPath] {
        var found: [ResolvedPath] = []
        for path in paths {
            let target = try own(path, "program directory")
            if !systemTrees.contains(where: target.isInside), !found.contains(target) { found.append(target) }
        }
        return found.sorted { $0.path < $1.path }
    }
}
