import Glibc
import LinuxSystem

// What the policy gives to jobs: followed with the daemon's rights, so it must be the admin's word alone.

extension ResolvedProfile {
    /// The paths every job of a profile can read.
    static func given(_ paths: [String], hidden: [ResolvedPath]) throws(SandboxError) -> [ResolvedPath] {
        var found: [ResolvedPath] = []
        for path in paths {
            let target: ResolvedPath
            switch PathResolver.resolveHere(path) {
            case .success(let resolved): target = resolved
            case .failure(let error):
                throw SandboxError(
                    error.isTransient ? .system : .unavailable, stage: "bind of the policy", error.message,
                    isTransient: error.isTransient)
            }
            if let problem = problem(giving: target, hidden: hidden) ?? TrustedPath.problem(of: path) {
                throw SandboxError(.unavailable, stage: "bind of the policy", "\(path) \(problem)")
            }
            if !systemTrees.contains(where: target.isInside), !found.contains(target) { found.append(target) }
        }
        return found
    }

    private static func problem(giving target: ResolvedPath, hidden: [ResolvedPath]) -> String? {
        // An admin may open a whole disk; not other people's files, nor what the sandbox replaces.
        let whole = sharedDirectories.filter { !["/srv", "/mnt", "/media", "/opt"].contains($0) }
        if kernelTrees.contains(where: target.isInside) { return "leads to the kernel's own file systems" }
        if whole.contains(target.path) { return "leads to \(target.path), a system directory" }
        return hidden.first { target.isInside($0.path) }.map { "lies in \($0.path), which belongs to mld" }
    }

    /// Device nodes, whatever they are called.
    static func devices(_ paths: [String]) throws(SandboxError) -> [ResolvedPath] {
        var found: [ResolvedPath] = []
        for path in paths {
            let target = try own(path, "device")
            var information = stat()
            guard target.isInside("/dev"), target.path != "/dev", stat(target.path, &information) == 0,
                information.st_mode & S_IFMT == S_IFCHR
            else {
                throw SandboxError(.badProfile, stage: "device", "\(path) is not a character device under /dev")
            }
            let major = UInt64(information.st_rdev) >> 8 & 0xFFF
            if let kind = refusedKind(major: major, minor: UInt64(information.st_rdev) & 0xFF) {
                throw SandboxError(.badProfile, stage: "device", "\(path) is \(kind), which no job is given")
            }
            if !found.contains(target) { found.append(target) }
        }
        return found
    }

    /// By the numbers of Linux's device list, since a node can have any name.
    private static func refusedKind(major: UInt64, minor: UInt64) -> String? {
        switch (major, minor) {
        case (1, 1), (1, 2), (1, 4), (1, 6), (1, 11), (1, 12): "the machine's memory or the kernel's log"
        case (4, _), (5, 1), (7, _): "a terminal of the machine"
        case (10, 232), (10, 238), (10, 241): "the way to virtual machines"
        case (10, 144), (10, 227), (10, 130), (10, 228): "a part of the mainboard"
        case (13, _), (10, 223): "an input device"
        case (9, _), (21, _), (10, 234), (10, 237): "a disk or tape"
        case (89, _): "a bus of sensors"
        case (202, _), (203, _): "the processor's registers"
        default: nil
        }
    }
}

/// The places of a `read-only` or `read-write` list of the policy, with the admin's links followed.
struct AllowedTrees {
    /// Nil for everywhere.
    private var trees: [String]?

    init(_ prefixes: [String]?, home: String?) {
        guard let prefixes, !prefixes.contains("/") else { return }
        trees = prefixes.compactMap { prefix in
            if prefix == "~" || prefix.hasPrefix("~/") {
                // Below the home directory every link is its owner's, who could lead it anywhere.
                return home.map { Self.followed($0) + prefix.dropFirst(1) }
            }
            return Self.followed(prefix)
        }
    }

    /// Not where somebody else could lay the link.
    private static func followed(_ path: String) -> String {
        let plain = "/" + path.split(separator: "/").joined(separator: "/")
        guard TrustedPath.problem(of: plain) == nil, case .success(let target) = PathResolver.resolveHere(plain) else {
            return plain
        }
        return target.path
    }

    func contains(_ target: ResolvedPath) -> Bool {
        trees.map { $0.contains { target.isInside($0.hasSuffix("/") ? String($0.dropLast()) : $0) } } ?? true
    }
}
