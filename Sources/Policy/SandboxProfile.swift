package import Units

/// What the jobs of a queue may ask of their sandbox, and the limits they get whether they ask or not.
package struct SandboxProfile: Hashable, Sendable {
    /// What to do where the machine cannot enforce all of the sandbox.
    package enum Requirement: String, CaseIterable, Sendable, Codable {
        /// Do not run the job.
        case full
        /// Run it, and record what was enforced.
        case bestEffort = "best-effort"
    }

    /// Whether the kernel's Landlock is used where it has one.
    package enum Landlock: String, CaseIterable, Sendable, Codable {
        case on, off
    }

    package var name: String
    /// Whether a job gets the network if it asks; one that does not ask never has it.
    package var network: Setting<Bool>
    /// Where the paths may lie that a job asks to read. `~` is the submitter's home.
    package var readOnly: Setting<[String]>
    /// Where the paths may lie that a job asks to write; its working directory is one of them.
    package var readWrite: Setting<[String]>
    /// Paths every job can read without asking, reached with the daemon's rights.
    package var bind: Setting<[String]>
    /// Devices, or directories of devices, a job may ask for.
    package var devices: Setting<[String]>
    package var require: Setting<Requirement>
    /// The most a job may ask for; nil for what machine and queue have.
    package var maxMemory: Setting<ByteSize?>
    package var maxCpus: Setting<Int?>
    package var maxProcesses: Setting<Int>
    /// Nil for no limit.
    package var maxFileSize: Setting<ByteSize?>
    /// Of each process.
    package var maxOpenFiles: Setting<Int>
    /// Of a core dump; zero for none.
    package var maxCoreSize: Setting<ByteSize>
    /// Kept of each of a job's two logs, the newest.
    package var maxLogSize: Setting<ByteSize>
    /// System calls refused besides those every job is refused.
    package var refuseSyscalls: Setting<[String]>
    /// System calls taken off the list of those jobs are refused.
    package var allowSyscalls: Setting<[String]>
    package var landlock: Setting<Landlock>
    /// The first line that defined it; nil when built in.
    package var source: RuleReference?

    /// The built-in profile under a name.
    package init(name: String, source: RuleReference? = nil) {
        self.name = name
        self.network = Setting(false)
        self.readOnly = Setting(["/"])
        self.readWrite = Setting(["/"])
        self.bind = Setting([])
        self.devices = Setting([])
        self.require = Setting(.bestEffort)
        self.maxMemory = Setting(nil)
        self.maxCpus = Setting(nil)
        self.maxProcesses = Setting(4096)
        self.maxFileSize = Setting(nil)
        self.maxOpenFiles = Setting(65_536)
        self.maxCoreSize = Setting(.zero)
        self.maxLogSize = Setting(.mebibytes(64))
        self.refuseSyscalls = Setting([])
        self.allowSyscalls = Setting([])
        self.landlock = Setting(.on)
        self.source = source
    }

    /// Never given to a job whatever a policy says: the kernel's interfaces, where the meters and other processes show.
    static let neverGiven = ["/proc", "/sys", "/dev"]

    /// Whether a job of `submitter` may be given `path`.
    ///
    /// The comparison is by text. Whoever binds the path asks again with symbolic links resolved, or a link inside an
    /// allowed directory leads out of it.
    package func allows(_ path: String, writing: Bool, for submitter: Submitter) -> Bool {
        guard let path = NormalPath(path), !path.isRoot,
            !Self.neverGiven.contains(where: { path.isInside($0) })
        else { return false }
        let prefixes = writing ? readWrite.value : readOnly.value
        return prefixes.contains { prefix in
            if prefix == "~" || prefix.hasPrefix("~/") {
                guard let home = submitter.home else { return false }
                return path.isInside(home + prefix.dropFirst(1))
            }
            return path.isInside(prefix)
        }
    }

    /// Whether a job that asks for the device may have it. By name, like ``allows(_:writing:for:)``.
    package func allows(device path: String) -> Bool {
        guard DevicePath.isBelowDev(path), !DevicePath.isNever(path), let normal = NormalPath(path) else {
            return false
        }
        return devices.value.contains { normal.isInside($0) }
    }
}
