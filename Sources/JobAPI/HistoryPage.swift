package import Units

/// Answer to `GET /v1/history`: jobs that ran and are over, in the order of their numbers, to be replayed elsewhere.
package struct HistoryPage: Codable, Hashable, Sendable {
    /// What a job's owner said of it when it was submitted, and what became of it.
    package struct Job: Codable, Hashable, Sendable {
        package var id: JobID
        package var name: String
        package var user: String
        package var project: String
        package var queue: String
        package var cpus: Int
        package var memoryBytes: ByteSize
        package var gpus: Int
        /// What it asked for of each of them; nil where it did not.
        package var gpuMemoryBytes: ByteSize?
        package var gpuModel: String?
        package var gpuShare: Bool?
        /// What its owner stated; nil where nobody did.
        package var timeLimitS: Double?
        package var submittedAt: Timestamp
        /// What its owner wanted it to wait for.
        package var notBefore: Timestamp?
        package var deadline: Timestamp?
        package var interruptible: Bool
        /// It had to wait for other jobs.
        package var waitedForOthers: Bool
        /// How long its attempts computed in all, without the time in which they stood still.
        package var durationS: Double
        /// From submission to the first start.
        package var waitedS: Double
        /// The mean of what it drew beyond the idle machine while it computed; nil where too little of it was metered.
        package var powerW: Double?
        package var state: JobState
        /// The same for all jobs of one kind; nil for those of earlier releases.
        package var kind: String?
        /// Those its user was in when it was submitted; nil for those of earlier releases.
        package var groups: [String]?

        package init(
            id: JobID, name: String, user: String, project: String, queue: String, cpus: Int, memoryBytes: ByteSize,
            gpus: Int, timeLimitS: Double? = nil, submittedAt: Timestamp, notBefore: Timestamp? = nil,
            deadline: Timestamp? = nil, interruptible: Bool = false, waitedForOthers: Bool = false, durationS: Double,
            waitedS: Double, powerW: Double? = nil, state: JobState, kind: String? = nil, groups: [String]? = nil
        ) {
            self.id = id
            self.name = name
            self.user = user
            self.project = project
            self.queue = queue
            self.cpus = cpus
            self.memoryBytes = memoryBytes
            self.gpus = gpus
            self.timeLimitS = timeLimitS
            self.submittedAt = submittedAt
            self.notBefore = notBefore
            self.deadline = deadline
            self.interruptible = interruptible
            self.waitedForOthers = waitedForOthers
            self.durationS = durationS
            self.waitedS = waitedS
            self.powerW = powerW
            self.state = state
            self.kind = kind
            self.groups = groups
        }
    }

    /// The grid's carbon intensity that the books were kept with from a moment on.
    package struct Intensity: Codable, Hashable, Sendable {
        package var from: Timestamp
        package var gPerKwh: Double
        /// What the site drew for each joule of the machine.
        package var pue: Double

        package init(from: Timestamp, gPerKwh: Double, pue: Double) {
            self.from = from
            self.gPerKwh = gPerKwh
            self.pue = pue
        }
    }

    /// The machine as it is now, before any reserve.
    package struct Machine: Codable, Hashable, Sendable {
        package var cpus: Int
        package var memoryBytes: ByteSize
        package var gpus: Int
        /// What is known of each; none in answers of earlier releases.
        package var cards: [Card]?
        /// What it draws while it idles, as far as that is known; nil where it is of nothing.
        package var idleW: Double?
        /// The meters of which that is not known.
        package var idleUnknown: [String]

        package struct Card: Codable, Hashable, Sendable {
            package var model: String
            /// Nil where its driver does not say.
            package var memoryBytes: ByteSize?

            package init(model: String, memoryBytes: ByteSize? = nil) {
                self.model = model
                self.memoryBytes = memoryBytes
            }
        }

        package init(
            cpus: Int, memoryBytes: ByteSize, gpus: Int, cards: [Card]? = nil, idleW: Double? = nil,
            idleUnknown: [String] = []
        ) {
            self.cpus = cpus
            self.memoryBytes = memoryBytes
            self.gpus = gpus
            self.cards = cards
            self.idleW = idleW
            self.idleUnknown = idleUnknown
        }
    }

    package var jobs: [Job]
    /// What to ask on with, as `after`; nil on the last page.
    package var next: JobID?
    /// Up to when jobs were looked at; to be asked for with each further page.
    package var until: Timestamp
    /// Those in force in the period, by time; on the first page only, like the machine.
    package var intensities: [Intensity]?
    package var machine: Machine?
    /// Whether these are everybody's jobs, or only those of who asked.
    package var isEverybodys: Bool

    package init(
        jobs: [Job], next: JobID? = nil, until: Timestamp, intensities: [Intensity]? = nil, machine: Machine? = nil,
        isEverybodys: Bool = true
    ) {
        self.jobs = jobs
        self.next = next
        self.until = until
        self.intensities = intensities
        self.machine = machine
        self.isEverybodys = isEverybodys
    }
}
