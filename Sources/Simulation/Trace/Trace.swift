package import Scheduling
package import Units

/// Jobs as they came to a machine once, to be run again under another policy.
package struct Trace: Sendable {
    /// By submission; those of one moment in the order they were written.
    package var jobs: [TraceJob]
    /// What the jobs' `user`, `project`, `group` and `queue` are the places of: a million jobs have few of them.
    package var users: [String]
    package var projects: [String]
    /// Whoever submits is in one group or in several.
    package var groups: [[String]]
    package var queues: [String]
    /// Of GPUs that jobs asked for.
    package var gpuModels: [String] = []
    /// How many processors the machine of the trace had, where the trace says.
    package var processors: Int?
    /// What was left out and what was assumed, one sentence each.
    package var notes: [String]

    package init(
        jobs: [TraceJob] = [], users: [String] = [], projects: [String] = [], groups: [[String]] = [],
        queues: [String] = [], processors: Int? = nil, notes: [String] = []
    ) {
        self.jobs = jobs
        self.users = users
        self.projects = projects
        self.groups = groups
        self.queues = queues
        self.processors = processors
        self.notes = notes
    }

    /// No file is read beyond this.
    static let maximumBytes = 1 << 30
    static let maximumJobs = 10_000_000
    static let maximumLine = 1 << 14
    /// Ten years: what is longer is a mistake in the unit.
    static let longestRun = 315_576_000.0
    static let mostCPUs = 1_000_000
    /// The years 1900 to 3000: within them no sum of times overflows.
    static let times = Timestamp(seconds: -2_208_988_800)...Timestamp(seconds: 32_503_680_000)
}

/// One job of a trace: what its owner said when it was submitted, and what became of it, which a scheduler does not know.
package struct TraceJob: Hashable, Sendable {
    package var name: String
    package var submit: Timestamp
    /// How long it computes, in seconds: the truth.
    package var runTime: Double
    package var request: ResourceVector
    /// What its owner stated, in seconds; nil where nobody did.
    package var timeLimit: Double?
    package var deadline: Timestamp?
    package var interruptible: Bool
    /// What it draws while it computes, in watts, beyond the idle machine; nil for what the machine says of its CPUs and GPUs.
    package var power: Double?
    /// How long it waited then, in seconds; nil where the trace does not say.
    package var recordedWait: Double?
    /// Places in the lists of its ``Trace``; -1 for none.
    package var user: Int32
    package var project: Int32
    package var group: Int32
    package var queue: Int32
    /// The number of what it ran, where the trace tells; -1 where it does not.
    package var application: Int32
    /// Of its GPUs, where it named one; -1 where it did not.
    package var gpuModel: Int32 = -1

    package init(
        name: String, submit: Timestamp, runTime: Double, request: ResourceVector, timeLimit: Double? = nil,
        deadline: Timestamp? = nil, interruptible: Bool = false, power: Double? = nil, recordedWait: Double? = nil,
        user: Int32 = -1, project: Int32 = -1, group: Int32 = -1, queue: Int32 = -1,
        application: Int32 = -1
    ) {
        self.name = name
        self.submit = submit
        self.runTime = runTime
        self.request = request
        self.timeLimit = timeLimit
        self.deadline = deadline
        self.interruptible = interruptible
        self.power = power
        self.recordedWait = recordedWait
        self.user = user
        self.project = project
        self.group = group
        self.queue = queue
        self.application = application
    }
}

/// Gives each different name the next number.
struct Names {
    private(set) var list: [String] = []
    private var index: [String: Int32] = [:]

    mutating func number(of name: String) -> Int32 {
        if let known = index[name] { return known }
        let number = Int32(list.count)
        list.append(name)
        index[name] = number
        return number
    }
}

extension Trace {
    /// What to say where jobs have the name of another: they are replayed, each for itself, but a line may be there twice.
    var noteOnRepeatedNames: String? {
        var seen = Set<String>(minimumCapacity: jobs.count)
        var first: String?
        var count = 0
        // SWF writes -1 where it knows no number.
        for job in jobs where job.name != "-1" && !seen.insert(job.name).inserted {
            first = first ?? job.name
            count += 1
        }
        guard let first else { return nil }
        let (whose, are) = count == 1 ? ("1 job has", "it is") : ("\(count) jobs have", "they are")
        return "\(whose) the name of an earlier one, such as \"\(shown(first))\": \(are) replayed too;"
            + " is a line there twice?"
    }

    /// Sorts the jobs as a replay takes them, without changing the order of one moment.
    mutating func sortBySubmission() {
        if zip(jobs, jobs.dropFirst()).allSatisfy({ $0.submit <= $1.submit }) { return }
        let order = jobs.indices.sorted {
            jobs[$0].submit == jobs[$1].submit ? $0 < $1 : jobs[$0].submit < jobs[$1].submit
        }
        jobs = order.map { jobs[$0] }
    }
}
