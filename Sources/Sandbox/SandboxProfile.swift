/// What a job may see, use and change.
package struct SandboxProfile: Sendable, Hashable {
    /// What happens on a machine that cannot isolate the job's files, processes, network and system calls. Limits
    /// (memory, processes, CPUs) are not part of it: what holds of them is told in ``Started``.
    package enum Requirement: String, Sendable {
        /// The job is refused.
        case full
        /// The job runs with what there is, and its record says what there was not.
        case bestEffort = "best-effort"
    }

    /// Bound read-write; the job starts in it.
    package var workdir: String
    /// The host's network. Without it the job has a loopback device of its own and nothing else.
    package var network: Bool
    /// Paths the submitter asks for, reached with the submitter's own rights.
    package var readOnly: [String]
    package var readWrite: [String]
    /// Where the paths of `readOnly`, and of `readWrite` and the working directory, must lie once their links are followed;
    /// `~` is ``home``. Nil for anywhere.
    package var readOnlyUnder: [String]?
    package var readWriteUnder: [String]?
    /// The home directory of the submitter.
    package var home: String?
    /// Paths the policy gives every job to read, reached with the daemon's rights.
    package var given: [String]
    /// Paths the daemon adds, reached with the daemon's rights: the programs and libraries of the job itself.
    package var programs: [String]
    /// Device nodes, such as `/dev/nvidia0`.
    package var devices: [String]
    /// Bytes.
    package var memoryLimit: Int64?
    /// CPUs the job may keep busy; also the number of threads its libraries are told to use.
    package var cpus: Int
    /// The CPUs its processes may run on, by the kernel's numbers; empty for any.
    package var cpuSet: [Int]
    package var maxProcesses: Int?
    /// Bytes of one file.
    package var maxFileSize: Int64?
    /// Of each process; nil leaves what the daemon has.
    package var maxOpenFiles: Int?
    /// Bytes of a core dump.
    package var maxCoreSize: Int64
    /// System calls refused besides those every job is refused, and those taken off that list.
    package var refusedCalls: [String]
    package var allowedCalls: [String]
    /// Whether Landlock is used where the kernel has it.
    package var landlock: Bool
    /// Directories and files of the daemon, kept out of sight even inside a folder the job was given.
    package var hidden: [String]
    /// A directory of the daemon that this job may write, though it may lie inside a hidden one.
    package var outputDirectory: String?
    package var requirement: Requirement

    package init(
        workdir: String, network: Bool = false, readOnly: [String] = [], readWrite: [String] = [],
        programs: [String] = [], devices: [String] = [], memoryLimit: Int64? = nil, cpus: Int = 1,
        cpuSet: [Int] = [], maxProcesses: Int? = nil, maxFileSize: Int64? = nil, maxOpenFiles: Int? = nil,
        maxCoreSize: Int64 = 0,
        refusedCalls: [String] = [], allowedCalls: [String] = [], landlock: Bool = true, readOnlyUnder: [String]? = nil,
        readWriteUnder: [String]? = nil, home: String? = nil, given: [String] = [], hidden: [String] = [],
        outputDirectory: String? = nil, requirement: Requirement = .bestEffort
    ) {
        self.workdir = workdir
        self.network = network
        self.readOnly = readOnly
        self.readWrite = readWrite
        self.programs = programs
        self.devices = devices
        self.memoryLimit = memoryLimit
        self.cpus = cpus
        self.cpuSet = cpuSet
        self.maxProcesses = maxProcesses
        self.maxFileSize = maxFileSize
        self.maxOpenFiles = maxOpenFiles
        self.maxCoreSize = maxCoreSize
        self.refusedCalls = refusedCalls
        self.allowedCalls = allowedCalls
        self.landlock = landlock
        self.readOnlyUnder = readOnlyUnder
        self.readWriteUnder = readWriteUnder
        self.home = home
        self.given = given
        self.hidden = hidden
        self.outputDirectory = outputDirectory
        self.requirement = requirement
    }
}
