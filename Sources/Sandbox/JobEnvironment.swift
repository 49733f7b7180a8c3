import Glibc

/// The environment a job starts with: a few variables of ours, then its own; nothing of the daemon's.
struct JobEnvironment {
    /// The account a job runs as, from the system's user database.
    struct Account {
        var name: String
        var home: String

        init(uid: UInt32) {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: 16 * 1024)
            name = String(uid)
            home = "/"
            guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return }
            if let pointer = entry.pw_name { name = String(cString: pointer) }
            if let pointer = entry.pw_dir { home = String(cString: pointer) }
        }

        /// Where a private, empty home can stand in for the real one; elsewhere `/tmp` has to do.
        var sandboxHome: String {
            let unfit = ["/", "/usr", "/etc", "/bin", "/sbin", "/lib", "/opt", "/proc", "/sys", "/dev", "/run", "/tmp"]
            guard home.hasPrefix("/"), !home.contains("/../"), !home.hasSuffix("/"),
                !unfit.contains(where: { $0 == home || ($0 != "/" && home.hasPrefix($0 + "/")) }),
                access(home, F_OK) == 0
            else { return "/tmp" }
            return home
        }
    }

    static func make(
        account: Account, home: String, temporary: String? = nil, workdir: String, cpus: Int, eventsDescriptor: Int32?,
        own: [String: String]
    ) throws(SandboxError) -> [String: String] {
        var variables = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "PWD": workdir, "USER": account.name,
            "LOGNAME": account.name,
            "SHELL": "/bin/sh", "LANG": "C.UTF-8",
            // Numeric libraries take all CPUs they see unless told otherwise.
            "OMP_NUM_THREADS": String(max(1, cpus)), "OPENBLAS_NUM_THREADS": String(max(1, cpus)),
        ]
        if let temporary { variables["TMPDIR"] = temporary }
        for (name, value) in own {
            guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0), !value.utf8.contains(0) else {
                throw SandboxError(
                    .badProfile, stage: "environment", "\"\(name.prefix(100))\" cannot be passed to a program")
            }
            variables[name] = value
        }
        if let eventsDescriptor { variables["MLD_EVENTS_FD"] = String(eventsDescriptor) }
        return variables
    }

    /// `NAME=VALUE`, each ended by a NUL.
    static func bytes(_ variables: [String: String]) -> [UInt8] {
        variables.sorted { $0.key < $1.key }.flatMap { Array("\($0.key)=\($0.value)".utf8) + [0] }
    }
}
