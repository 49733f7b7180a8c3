import CLinux
import Glibc

/// The file rules a job lays on itself before it becomes its command: a wall of its own, which holds where a mount is missing or
/// a descriptor leads out of the sandbox's tree.
struct Landlock {
    /// The oldest version of use: version 1 forbids to move any file from one directory to another.
    static let leastVersion: Int32 = 2

    /// What the options of `mld-exec exec` grant.
    struct Grants {
        var read: [String] = []
        var use: [String] = []
        var write: [String] = []
        var denyTCP = false
    }

    /// Keeps this process and its children to the grants.
    ///
    /// - Parameter inherited: the files of descriptors below this one stay usable by name (`/dev/stdout`) too.
    static func restrict(to grants: Grants, inherited: Int32) throws(Failure) {
        let version = mld_landlock_version()
        guard version >= leastVersion else {
            if version < 0 { throw Failure("Landlock") }
            throw Failure(status: 126, "Landlock: version \(version) of the kernel is of no use")
        }
        let rules = mld_landlock_rules(version, grants.denyTCP)
        guard rules >= 0 else { throw Failure("make the Landlock rules") }
        defer { close(rules) }
        for (paths, access) in [
            (grants.read, MLD_LANDLOCK_READ), (grants.use, MLD_LANDLOCK_USE), (grants.write, MLD_LANDLOCK_WRITE),
        ] {
            for path in paths { try grant(path, access, rules, version) }
        }
        for descriptor in 0..<inherited {
            // A directory would bring all below it along. A closed one, a pipe or a socket needs no rule.
            var information = stat()
            if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFDIR { continue }
            guard mld_landlock_grant(rules, version, descriptor, MLD_LANDLOCK_USE) != 0 else { continue }
            guard errno == EBADF || errno == EBADFD else { throw Failure("grant descriptor \(descriptor) by Landlock") }
        }
        guard mld_landlock_restrict(rules) == 0 else { throw Failure("keep to the Landlock rules") }
    }

    private static func grant(
        _ path: String, _ access: mld_landlock_access, _ rules: Int32, _ version: Int32
    ) throws(Failure) {
        let file = mld_landlock_open(path)
        guard file >= 0 else {
            // What is not there, or closed to the user, stays closed without a rule.
            if errno == ENOENT || errno == EACCES { return }
            throw Failure("open \(path) for Landlock")
        }
        defer { close(file) }
        guard mld_landlock_grant(rules, version, file, access) == 0 else { throw Failure("grant \(path) by Landlock") }
    }
}
