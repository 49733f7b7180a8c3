package import ConfigFile
package import Units

/// What a user asks for: the job file, or the same keys from flags, or the body of `POST /v1/jobs`.
package struct JobSpec: Codable, Hashable, Sendable {
    package var name: String?
    /// Whom the energy is booked to; the daemon's default project when absent.
    package var project: String?
    /// The policy's default queue when absent.
    package var queue: String?
    package var resources: Resources
    package var schedule: Schedule
    package var sandbox: SandboxRequest
    /// Many jobs of this description; nil for one.
    package var array: JobArray?
    package var notify: Notification?
    /// Exactly one of `command` and `train` is present.
    package var command: Command?
    package var train: TrainRequest?

    package init(
        name: String? = nil, project: String? = nil, queue: String? = nil, resources: Resources = .init(),
        schedule: Schedule = .init(), sandbox: SandboxRequest = .init(), array: JobArray? = nil,
        command: Command? = nil, train: TrainRequest? = nil
    ) {
        self.name = name
        self.project = project
        self.queue = queue
        self.resources = resources
        self.schedule = schedule
        self.sandbox = sandbox
        self.array = array
        self.command = command
        self.train = train
    }

    package struct Resources: Codable, Hashable, Sendable {
        package var cpus: Int
        package var memory: ByteSize
        package var gpus: Int
        /// What it needs of the memory of each GPU; whole GPUs when absent.
        package var gpuMemory: ByteSize?
        /// Words of the name of its GPUs; any when absent. See ``GPUModel``.
        package var gpuModel: String?
        /// False for GPUs to itself, whatever memory it needs. It may share them when absent.
        package var gpuShare: Bool?
        /// The limit on run time; the queue's maximum when absent.
        package var timeLimit: Double?

        package init(
            cpus: Int = 1, memory: ByteSize = .gibibytes(1), gpus: Int = 0, gpuMemory: ByteSize? = nil,
            gpuModel: String? = nil, gpuShare: Bool? = nil, timeLimit: Double? = nil
        ) {
            self.cpus = cpus
            self.memory = memory
            self.gpus = gpus
            self.gpuMemory = gpuMemory
            self.gpuModel = gpuModel
            self.gpuShare = gpuShare
            self.timeLimit = timeLimit
        }

        /// Whether others may have its GPUs too, as far as it says itself.
        package var mayShareGPUs: Bool { gpus > 0 && gpuMemory != nil && gpuShare != false }

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case cpus
            case memory = "memoryBytes"
            case gpus
            case gpuMemory = "gpuMemoryBytes"
            case gpuModel, gpuShare
            case timeLimit = "timeLimitS"
        }

        package init(from decoder: any Decoder) throws {
            try decoder.rejectUnknownKeys(CodingKeys.self)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            cpus = try container.decodeIfPresent(Int.self, forKey: .cpus) ?? 1
            memory = try container.decodeIfPresent(ByteSize.self, forKey: .memory) ?? .gibibytes(1)
            gpus = try container.decodeIfPresent(Int.self, forKey: .gpus) ?? 0
            gpuMemory = try container.decodeIfPresent(ByteSize.self, forKey: .gpuMemory)
            gpuModel = try container.decodeIfPresent(String.self, forKey: .gpuModel)
            gpuShare = try container.decodeIfPresent(Bool.self, forKey: .gpuShare)
            timeLimit = try container.decodeIfPresent(Double.self, forKey: .timeLimit)
        }
    }

    package struct Schedule: Codable, Hashable, Sendable {
        /// Start no earlier than this.
        package var notBefore: Timestamp?
        /// It shall have ended by then; until that is near, it may wait for a better time.
        package var deadline: Timestamp?
        /// What other jobs must have come to before it may start.
        package var after: [Dependency]
        /// How often it is started again after an attempt that failed or was lost.
        package var retries: Int
        /// The pause before the first retry in seconds, doubled before each further one.
        package var retryDelay: Double
        /// It may be stopped and started again: it goes on from its last checkpoint, or does no harm in beginning anew.
        package var interruptible: Bool
        /// Seconds before its time limit at which it is warned; nil for a tenth of the limit, at most a minute.
        package var warnBefore: Double?
        /// What its processes are sent with the warning; nil for nothing.
        package var warnSignal: JobSignal?

        package static let standardRetryDelay = 10.0

        package init(
            notBefore: Timestamp? = nil, after: [Dependency] = [], retries: Int = 0,
            retryDelay: Double = Schedule.standardRetryDelay, interruptible: Bool = false, warnBefore: Double? = nil,
            warnSignal: JobSignal? = nil, deadline: Timestamp? = nil
        ) {
            self.notBefore = notBefore
            self.deadline = deadline
            self.after = after
            self.retries = retries
            self.retryDelay = retryDelay
            self.interruptible = interruptible
            self.warnBefore = warnBefore
            self.warnSignal = warnSignal
        }

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case notBefore, deadline, after, retries
            case retryDelay = "retryDelayS"
            case interruptible
            case warnBefore = "warnBeforeS"
            case warnSignal
        }

        package init(from decoder: any Decoder) throws {
            try decoder.rejectUnknownKeys(CodingKeys.self)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            notBefore = try container.decodeIfPresent(Timestamp.self, forKey: .notBefore)
            deadline = try container.decodeIfPresent(Timestamp.self, forKey: .deadline)
            after = try container.decodeIfPresent([Dependency].self, forKey: .after) ?? []
            retries = try container.decodeIfPresent(Int.self, forKey: .retries) ?? 0
            retryDelay =
                try container.decodeIfPresent(Double.self, forKey: .retryDelay) ?? Schedule.standardRetryDelay
            interruptible = try container.decodeIfPresent(Bool.self, forKey: .interruptible) ?? false
            warnBefore = try container.decodeIfPresent(Double.self, forKey: .warnBefore)
            warnSignal = try container.decodeIfPresent(JobSignal.self, forKey: .warnSignal)
        }
    }

    package struct Command: Codable, Hashable, Sendable {
        package var argv: [String]
        package var env: [String: String]

        package init(argv: [String], env: [String: String] = [:]) {
            self.argv = argv
            self.env = env
        }

        private enum CodingKeys: String, CodingKey, CaseIterable { case argv, env }

        package init(from decoder: any Decoder) throws {
            try decoder.rejectUnknownKeys(CodingKeys.self)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            argv = try container.decode([String].self, forKey: .argv)
            env = try container.decodeIfPresent([String: String].self, forKey: .env) ?? [:]
        }
    }

    /// The training sections of a job file, passed to `mltrain` as they stand; it alone knows their keys.
    package struct TrainRequest: Codable, Hashable, Sendable {
        package var train: ConfigTable
        package var data: ConfigTable
        package var model: ConfigTable

        package init(train: ConfigTable, data: ConfigTable, model: ConfigTable) {
            self.train = train
            self.data = data
            self.model = model
        }

        /// The files and directories the job reads: every absolute path in `[data]`, with its key.
        package var dataPaths: [(key: String, path: String)] {
            data.entries.compactMap { entry in
                guard case .string(let path) = entry.node.value, path.hasPrefix("/") else { return nil }
                return (entry.key, path)
            }
        }
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, project, queue, resources, schedule, sandbox, array, notify, command, train
    }

    package init(from decoder: any Decoder) throws {
        try decoder.rejectUnknownKeys(CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decodeIfPresent(String.self, forKey: .name)
        project = try container.decodeIfPresent(String.self, forKey: .project)
        queue = try container.decodeIfPresent(String.self, forKey: .queue)
        resources = try container.decodeIfPresent(Resources.self, forKey: .resources) ?? .init()
        schedule = try container.decodeIfPresent(Schedule.self, forKey: .schedule) ?? .init()
        sandbox = try container.decodeIfPresent(SandboxRequest.self, forKey: .sandbox) ?? .init()
        array = try container.decodeIfPresent(JobArray.self, forKey: .array)
        notify = try container.decodeIfPresent(Notification.self, forKey: .notify)
        command = try container.decodeIfPresent(Command.self, forKey: .command)
        train = try container.decodeIfPresent(TrainRequest.self, forKey: .train)
    }

    /// `command`, or `train` for a job of the training core.
    package var kind: String { train == nil ? "command" : "train" }

    /// The name to show: given, else what is run.
    package var title: String {
        if let name { return name }
        guard let program = command?.argv.first else { return "train" }
        return String(program.split(separator: "/").last ?? "command")
    }
}
