package import JobAPI
package import Policy
package import Units

/// Decides which waiting jobs start. A value without a clock or I/O: the same calls give the same plans, in the daemon and
/// in a simulation alike.
///
/// Tell it what happens (``add(_:)``, ``remove(_:)``, ``started(_:)``, ``ended(_:)``), then ask ``plan(now:)``. Adding,
/// removing and each start cost O(log n) of the jobs waiting; a plan looks at no more than ``lookAhead`` kinds of jobs
/// behind the first that has to wait. `docs/policy.md` describes the order for people.
package struct Scheduler: Sendable {
    /// What a point of priority is worth in waiting.
    package static let agingPerPoint = Duration.seconds(360)
    /// How many kinds of jobs (same user, request and time limit) a plan looks at behind the first that waits.
    package static let lookAhead = 256

    /// What jobs may use in all.
    package private(set) var capacity: ResourceVector
    package private(set) var maxRunningPerUser: Setting<Int?>
    let lookAhead: Int

    private(set) var pending: [JobID: PendingJob] = [:]
    package private(set) var active: [JobID: ActiveJob] = [:]
    private(set) var used = ResourceVector.zero
    private(set) var activeByUser: [UInt32: Int] = [:]
    private(set) var activeByArray: [JobID: Int] = [:]
    private var pendingByUser: [UInt32: Int] = [:]
    /// Neither held nor of the future.
    private(set) var line = WaitingLine()
    /// What accounts have used, where they have shares.
    private(set) var fairShare = FairShare()
    private var sharedAt: Timestamp?
    /// Jobs with a `notBefore` that was to come when last asked.
    private var future = OrderedSet<Due>()

    private struct Due: Comparable, Sendable {
        var at: Timestamp
        var id: JobID
        static func < (a: Due, b: Due) -> Bool { a.at == b.at ? a.id < b.id : a.at < b.at }
    }

    package init(
        capacity: ResourceVector, maxRunningPerUser: Setting<Int?> = Setting(nil),
        lookAhead: Int = Scheduler.lookAhead
    ) {
        self.capacity = capacity
        self.maxRunningPerUser = maxRunningPerUser
        self.lookAhead = lookAhead
    }

    /// For jobs admitted under `policy` on `machine`.
    package init(policy: PolicySet, machine: MachineCapacity) {
        self.init(capacity: .zero)
        adopt(policy: policy, machine: machine)
    }

    /// Goes on under another policy or with another machine. Jobs that run go on running, even beyond the new limits.
    package mutating func adopt(policy: PolicySet, machine: MachineCapacity) {
        let usable = policy.usable(of: machine)
        capacity = ResourceVector(cpus: usable.cpus, memory: usable.memory, gpus: usable.gpus)
        maxRunningPerUser = policy.limits.maxRunningPerUser
    }

    package var pendingCount: Int { pending.count }
    package func isPending(_ id: JobID) -> Bool { pending[id] != nil }
    package func pendingJob(_ id: JobID) -> PendingJob? { pending[id] }
    package func pendingCount(uid: UInt32) -> Int { pendingByUser[uid] ?? 0 }

    /// What no active job holds; negative when the capacity shrank below what is in use.
    package var free: ResourceVector { capacity - used }

    // MARK: - What happened

    /// A job waits. One that is already known by its id is replaced, as after a release or a change of priority.
    package mutating func add(_ job: PendingJob) {
        remove(job.id)
        pending[job.id] = job
        pendingByUser[job.uid, default: 0] += 1
        if !job.isFree { return }
        if let notBefore = job.notBefore {
            future.insert(Due(at: notBefore, id: job.id))
        } else {
            line.insert(rank(job), owner: job.owner, shape: job.shape)
        }
    }

    /// A job waits no longer: cancelled, or about to start. An unknown id changes nothing.
    @discardableResult
    package mutating func remove(_ id: JobID) -> PendingJob? {
        guard let job = pending.removeValue(forKey: id) else { return nil }
        Self.countDown(&pendingByUser, job.uid)
        if !job.isFree { return job }
        if let notBefore = job.notBefore, future.remove(Due(at: notBefore, id: id)) { return job }
        line.remove(rank(job), owner: job.owner, shape: job.shape)
        return job
    }

    /// A job holds resources from now on, whether this scheduler planned it or it was found running.
    package mutating func started(_ job: ActiveJob) {
        remove(job.id)
        ended(job.id)
        active[job.id] = job
        used += job.request
        activeByUser[job.uid, default: 0] += 1
        if let array = job.array { activeByArray[array, default: 0] += 1 }
    }

    /// A job holds nothing any more. An unknown id changes nothing.
    @discardableResult
    package mutating func ended(_ id: JobID) -> ActiveJob? {
        guard let job = active.removeValue(forKey: id) else { return nil }
        used -= job.request
        Self.countDown(&activeByUser, job.uid)
        if let array = job.array { Self.countDown(&activeByArray, array) }
        return job
    }

    /// Changes when an active job is expected to end: a suspended one does not run towards its limit.
    package mutating func expect(_ id: JobID, toEnd end: Timestamp?) {
        active[id]?.expectedEnd = end
    }

    /// From now on accounts have shares, or none any more.
    package mutating func share(_ rules: FairShare.Rules?) {
        guard rules != fairShare.rules else { return }
        fairShare.rules = rules
        sharedAt = nil
        if rules == nil { line.reorder(floor: .min, penalties: [:]) }
    }

    /// An account has used as much of what is shared.
    package mutating func charge(_ account: String, _ amount: Double, at time: Timestamp) {
        fairShare.charge(account, amount, at: time)
    }

    /// Puts the first jobs of all owners in the order of their accounts' shares. Once a minute is enough: shares are of days.
    private mutating func keepShares(now: Timestamp) {
        guard fairShare.rules != nil else { return }
        if let last = sharedAt, (.zero ..< .seconds(60)).contains(now.since(last)) { return }
        sharedAt = now
        let point = Double(Self.agingPerPoint.components.seconds) * 1e6
        let accounts = Set(line.owners.keys.map(\.account)).sorted()
        let penalties = fairShare.penalties(of: accounts).mapValues { Int64(min($0 * point, 1e17)) }
        let floor = now.advanced(by: .zero - FairShare.ageWindow).microseconds
        line.reorder(floor: floor, penalties: penalties)
    }

    private static func countDown<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key) {
        let left = (counts[key] ?? 1) - 1
        counts[key] = left > 0 ? left : nil
    }

    // MARK: - What to do

    /// The jobs to start now. Nothing is started by this: tell ``started(_:)`` which were.
    package mutating func plan(now: Timestamp) -> Plan {
        while let due = future.first, due.at <= now {
            future.remove(due)
            if let job = pending[due.id] { line.insert(rank(job), owner: job.owner, shape: job.shape) }
        }
        keepShares(now: now)
        let decision = decide(now: now)
        return Plan(
            starts: decision.starts, blocked: decision.blocked?.id, reservedFor: decision.reservation?.predicted,
            wakeAt: future.first?.at)
    }

    /// The job as an active one, if it starts at `now`.
    package func starting(_ id: JobID, at now: Timestamp) -> ActiveJob? {
        pending[id].map { job in
            ActiveJob(
                id: id, uid: job.uid, request: job.request, startedAt: now, expectedEnd: job.expectedEnd(from: now),
                array: job.array?.id)
        }
    }

    func isWaitingForItsTime(_ job: PendingJob) -> Bool {
        job.notBefore.map { future.contains(Due(at: $0, id: job.id)) } ?? false
    }

    private func rank(_ job: PendingJob) -> Rank {
        Rank(job, agingPerPoint: Self.agingPerPoint.components.seconds * 1_000_000)
    }
}

extension PendingJob {
    var owner: Owner { Owner(uid: uid, account: account) }

    var shape: Shape {
        Shape(request: request, timeLimit: timeLimit, array: arrayLimit == nil ? nil : array?.id)
    }

    /// When its time limit would end it, if it started at `now`.
    func expectedEnd(from now: Timestamp) -> Timestamp? {
        guard let timeLimit else { return nil }
        let (end, overflow) = now.microseconds.addingReportingOverflow(Int64(min(max(0, timeLimit), 9e12) * 1e6))
        return Timestamp(microseconds: overflow ? .max : end)
    }
}
