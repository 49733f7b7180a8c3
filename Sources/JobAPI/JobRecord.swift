package import Units

/// A job as the API shows it.
package struct JobRecord: Codable, Hashable, Sendable {
    package var id: JobID
    /// Its array and its place there, if it is an element of one.
    package var array: ArrayPlace?
    package var name: String
    package var user: String
    package var uid: UInt32
    package var project: String
    package var queue: String
    package var kind: String
    package var state: JobState
    /// Why it is in this state: what it waits for, or how it ended.
    package var reason: String
    package var attempt: Int
    package var submittedAt: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    /// The exit status of the command, once it exited by itself.
    package var exitStatus: Int?
    /// The number of the signal that ended it.
    package var signal: Int?
    package var resources: JobSpec.Resources
    package var energy: EnergyFigures
    package var progress: Progress?

    package init(
        id: JobID, array: ArrayPlace? = nil, name: String, user: String, uid: UInt32, project: String, queue: String,
        kind: String, state: JobState, reason: String, attempt: Int, submittedAt: Timestamp,
        startedAt: Timestamp? = nil, endedAt: Timestamp? = nil, exitStatus: Int? = nil, signal: Int? = nil,
        resources: JobSpec.Resources, energy: EnergyFigures = .init(), progress: Progress? = nil
    ) {
        self.id = id
        self.array = array
        self.name = name
        self.user = user
        self.uid = uid
        self.project = project
        self.queue = queue
        self.kind = kind
        self.state = state
        self.reason = reason
        self.attempt = attempt
        self.submittedAt = submittedAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.exitStatus = exitStatus
        self.signal = signal
        self.resources = resources
        self.energy = energy
        self.progress = progress
    }

    /// What people call it: `42`, or `42.7` for an element of an array.
    package var reference: JobReference {
        array.map { JobReference(array: $0.id, index: $0.index) } ?? JobReference(id)
    }

    /// Time spent running so far or in all, in seconds.
    package func runTime(at now: Timestamp) -> Double? {
        startedAt.map { (endedAt ?? now).since($0).seconds }
    }
}

/// Everything about one job: `GET /v1/jobs/ID`.
package struct JobDetail: Codable, Hashable, Sendable {
    package var job: JobRecord
    package var spec: JobSpec
    package var transitions: [Transition]
    /// What the sandbox really enforced, one line each; empty before the start.
    package var enforced: [String]
    package var artifacts: [Artifact]
    package var metrics: [Metric]
    /// Which CPUs and GPUs its last attempt holds or held; nil before the first, and where none were chosen.
    package var placement: Placement?
    /// Against what it is compared, and what that came to; nil where nothing was frozen when it was submitted.
    package var savings: Savings?

    package init(
        job: JobRecord, spec: JobSpec, transitions: [Transition], enforced: [String], artifacts: [Artifact],
        metrics: [Metric], placement: Placement? = nil, savings: Savings? = nil
    ) {
        self.job = job
        self.spec = spec
        self.transitions = transitions
        self.enforced = enforced
        self.artifacts = artifacts
        self.metrics = metrics
        self.placement = placement
        self.savings = savings
    }
}

/// One change of state with its cause.
package struct Transition: Codable, Hashable, Sendable {
    package var at: Timestamp
    package var from: JobState?
    package var to: JobState
    package var cause: String

    package init(at: Timestamp, from: JobState?, to: JobState, cause: String) {
        self.at = at
        self.from = from
        self.to = to
        self.cause = cause
    }
}

/// Why a job is where it is: `GET /v1/jobs/ID/why`.
package struct Explanation: Codable, Hashable, Sendable {
    package var id: JobID
    package var state: JobState
    package var reason: String
    /// The policy rule that bound, as `file:line`, when one did.
    package var rule: String?
    /// What would let it start, or what to do next.
    package var hint: String?
    /// Of one that waits: when it would start, an estimate; nil where nobody can tell.
    package var expectedStart: Timestamp?
    /// How many wait before it, as far as they are counted; nil where others or somebody have to let it go first.
    package var ahead: Int?

    package init(
        id: JobID, state: JobState, reason: String, rule: String? = nil, hint: String? = nil,
        expectedStart: Timestamp? = nil, ahead: Int? = nil
    ) {
        self.id = id
        self.state = state
        self.reason = reason
        self.rule = rule
        self.hint = hint
        self.expectedStart = expectedStart
        self.ahead = ahead
    }
}
