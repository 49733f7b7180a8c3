package import JobAPI
package import Policy
package import Units

/// A job that waits.
package struct PendingJob: Hashable, Sendable {
    package var id: JobID
    package var uid: UInt32
    /// Whose share its usage counts against: a project's or a user's name. Empty where there are no shares.
    package var account: String
    package var project: String
    package var queue: String
    package var priority: Int
    package var submittedAt: Timestamp
    /// Start no earlier than this.
    package var notBefore: Timestamp?
    /// `notBefore` is the end of a pause that follows an attempt, and no time of the submitter's.
    package var isPaused = false
    /// Wait until released.
    package var held: Bool
    /// Under which key ``RunHistory`` knows how long its likes ran; 0 for none.
    package var likes: UInt64
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
    /// Whether and how far it may be deferred; nil when it starts as soon as it can.
    package var flexibility: Flexibility? {
        get {
            guard case .aside(let flexibility) = keptFlexibility else { return nil }
            return flexibility
        }
        set { keptFlexibility = newValue.map(Kept.aside) }
    }
    private var keptFlexibility: Kept?
    /// A training job, to rules that ask for the kind.
    package var isTraining: Bool
    /// It may be suspended, by its own word.
    package var isInterruptible: Bool
    /// What the scheduler makes of it when it is added.
    var standing = StandingID.plain

    /// Most jobs have none: with a million waiting its size would be felt.
    private indirect enum Kept: Hashable, Sendable { case aside(Flexibility) }

    package init(
        id: JobID, uid: UInt32, account: String = "", project: String = PolicySet.defaultProject, queue: String,
        priority: Int, submittedAt: Timestamp, notBefore: Timestamp? = nil, held: Bool = false, request: ResourceVector,
        timeLimit: Double? = nil, note: String? = nil,
        rule: RuleReference? = nil, array: ArrayPlace? = nil, arrayLimit: Int? = nil, after: [Dependency] = [],
        flexibility: Flexibility? = nil, likes: UInt64 = 0, isTraining: Bool = false, isInterruptible: Bool = false
    ) {
        self.id = id
        self.uid = uid
        self.account = account
        self.project = project
        self.isTraining = isTraining
        self.isInterruptible = isInterruptible
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
        keptFlexibility = flexibility.map(Kept.aside)
        self.likes = likes
    }

    /// Nothing but its turn and its time keeps it.
    package var isFree: Bool { !held && after.isEmpty }
}

/// A job that holds resources: starting, running or suspended.
package struct ActiveJob: Hashable, Sendable {
    package var id: JobID
    package var uid: UInt32
    package var project: String
    package var queue: String
    package var request: ResourceVector
    /// Which GPUs it has, by their places in ``CardRoom/cards``; nil where nobody knows, or they are only counted.
    package var cards: [Int]?
    package var startedAt: Timestamp
    /// When its time limit ends it; nil when nothing does.
    package var expectedEnd: Timestamp?
    /// When it will have ended by itself, going by its likes; nil where nobody knows. See ``likelyEnd(now:)``.
    package var predictedEnd: Timestamp?
    package var array: JobID?
    /// Of a job that the plan may suspend and resume.
    package var shift: ActiveShift?
    package var isTraining: Bool
    /// It may be suspended, by its own word.
    package var isInterruptible: Bool
    /// It stands still because a rule says so: its CPUs are lent to others.
    package var isHalted: Bool
    /// It is to stand still because the machine draws more than its cap.
    package internal(set) var isOverCap = false
    /// No rule suspends it, because a person let it go on.
    package var isSpared = false
    var standing = StandingID.plain

    package init(
        id: JobID, uid: UInt32, project: String = PolicySet.defaultProject, queue: String = "",
        request: ResourceVector, startedAt: Timestamp, expectedEnd: Timestamp? = nil, array: JobID? = nil,
        shift: ActiveShift? = nil, predictedEnd: Timestamp? = nil, isTraining: Bool = false,
        isInterruptible: Bool = false, isHalted: Bool = false, cards: [Int]? = nil
    ) {
        self.cards = cards
        self.id = id
        self.uid = uid
        self.project = project
        self.queue = queue
        self.isTraining = isTraining
        self.isInterruptible = isInterruptible
        self.isHalted = isHalted
        self.request = request
        self.startedAt = startedAt
        self.expectedEnd = expectedEnd
        self.array = array
        self.shift = shift
        self.predictedEnd = predictedEnd
    }

    /// By a rule or by the plan; what a person suspends keeps all it holds.
    package var standsStill: Bool { isHalted || shift?.isSuspended == true }

    /// What it holds now.
    var held: ResourceVector {
        standsStill ? request - lent : request
    }

    /// What it gives up while it stands still: what does not compute draws next to nothing beyond the idle machine.
    /// While the machine draws too much nobody is lent any power.
    var lent: ResourceVector {
        ResourceVector(cpus: request.cpus, memory: .zero, power: isOverCap ? 0 : request.power)
    }
}

/// What to do now.
package struct Plan: Hashable, Sendable {
    /// The jobs to start, in this order.
    package var starts: [JobID]
    /// The first job that has to wait for resources; those behind it start only where they do not delay it.
    package var blocked: JobID?
    /// When `blocked` is expected to start: at the latest, if every active job ends as its likes did, or by its limit where
    /// nothing is known of them. Nil when that cannot be known.
    package var reservedFor: Timestamp?
    /// When to plan again though nothing happened: the next job's `notBefore` or planned start, or the next time at which one is
    /// to be suspended or resumed, or the next at which a rule, a reservation or a budget may say something else.
    package var wakeAt: Timestamp?
    /// Jobs to suspend now: their time is a dear one. What they give up is free once the scheduler was told.
    package var suspends: [JobID]
    /// Jobs to resume now. The CPUs are there.
    package var resumes: [JobID]
    /// Jobs to suspend now because a rule says so: tell ``Scheduler/halted(_:at:)``. Why says ``Scheduler/suspension(of:now:)``.
    package var halts: [JobID]
    /// Those that may go on, as no rule is against it any more: tell ``Scheduler/wentOn(_:at:)``. The CPUs are there.
    package var goOns: [JobID]

    package init(
        starts: [JobID], blocked: JobID? = nil, reservedFor: Timestamp? = nil, wakeAt: Timestamp? = nil,
        suspends: [JobID] = [], resumes: [JobID] = [], halts: [JobID] = [], goOns: [JobID] = []
    ) {
        self.starts = starts
        self.blocked = blocked
        self.reservedFor = reservedFor
        self.wakeAt = wakeAt
        self.suspends = suspends
        self.resumes = resumes
        self.halts = halts
        self.goOns = goOns
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
