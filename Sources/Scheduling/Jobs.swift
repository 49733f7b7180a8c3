package import JobAPI
package import Policy
package import Units

/// A job that waits.
package struct PendingJob: Hashable, Sendable {
    package var id: JobID
    package var uid: UInt32
    /// Whose share its usage counts against: a project's or a user's name. Empty where there are no shares.
    package var account: String
    package var queue: String
    package var priority: Int
    package var submittedAt: Timestamp
    /// Start no earlier than this.
    package var notBefore: Timestamp?
    /// Wait until released.
    package var held: Bool
    package var request: ResourceVector
    /// Seconds; nil when the job may run for ever.
    package var timeLimit: Double?
    /// Why it is held or may not start before `notBefore`, when the policy said so.
    package var note: String?
    /// The rule behind `note`.
    package var rule: RuleReference?
    /// Its array and its place there.
    package var array: ArrayPlace?
    /// How many of its array may be active at once; nil for no limit.
    package var arrayLimit: Int?
    /// What it waits for of other jobs; empty once all is met.
    package var after: [Dependency]

    package init(
        id: JobID, uid: UInt32, account: String = "", queue: String, priority: Int, submittedAt: Timestamp,
        notBefore: Timestamp? = nil,
        held: Bool = false, request: ResourceVector, timeLimit: Double? = nil, note: String? = nil,
        rule: RuleReference? = nil, array: ArrayPlace? = nil, arrayLimit: Int? = nil, after: [Dependency] = []
    ) {
        self.id = id
        self.uid = uid
        self.account = account
        self.queue = queue
        self.priority = priority
        self.submittedAt = submittedAt
        self.notBefore = notBefore
        self.held = held
        self.request = request
        self.timeLimit = timeLimit
        self.note = note
        self.rule = rule
        self.array = array
        self.arrayLimit = arrayLimit
        self.after = after
    }

    /// Nothing but its turn and its time keeps it.
    package var isFree: Bool { !held && after.isEmpty }
}

/// A job that holds resources: starting, running or suspended.
package struct ActiveJob: Hashable, Sendable {
    package var id: JobID
    package var uid: UInt32
    package var request: ResourceVector
    package var startedAt: Timestamp
    /// When its time limit ends it; nil when nothing does.
    package var expectedEnd: Timestamp?
    package var array: JobID?

    package init(
        id: JobID, uid: UInt32, request: ResourceVector, startedAt: Timestamp, expectedEnd: Timestamp? = nil,
        array: JobID? = nil
    ) {
        self.id = id
        self.uid = uid
        self.request = request
        self.startedAt = startedAt
        self.expectedEnd = expectedEnd
        self.array = array
    }
}

/// What to do now.
package struct Plan: Hashable, Sendable {
    /// The jobs to start, in this order.
    package var starts: [JobID]
    /// The first job that has to wait for resources; those behind it start only where they do not delay it.
    package var blocked: JobID?
    /// When `blocked` will start at the latest, if every active job ends by its limit; nil when that cannot be known.
    package var reservedFor: Timestamp?
    /// When to plan again though nothing happened: the next job's `notBefore`.
    package var wakeAt: Timestamp?

    package init(starts: [JobID], blocked: JobID? = nil, reservedFor: Timestamp? = nil, wakeAt: Timestamp? = nil) {
        self.starts = starts
        self.blocked = blocked
        self.reservedFor = reservedFor
        self.wakeAt = wakeAt
    }
}

/// Why a job waits.
package struct WaitReason: Hashable, Sendable {
    package var text: String
    /// The rule or setting that keeps it, if one does.
    package var rule: RuleReference?
    /// What would let it start, or what to do.
    package var hint: String?

    package init(_ text: String, rule: RuleReference? = nil, hint: String? = nil) {
        self.text = text
        self.rule = rule
        self.hint = hint
    }
}
