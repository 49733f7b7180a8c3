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
    static let agingMicroseconds = agingPerPoint.components.seconds * 1_000_000
    /// How many kinds of jobs (same user, request and time limit) a plan looks at behind the first that waits.
    package static let lookAhead = 256

    /// What jobs may use in all.
    package internal(set) var capacity: ResourceVector { didSet { standstill = nil } }
    package private(set) var limits: SchedulerLimits { didSet { standstill = nil } }
    /// What the machine may draw in all, and what is planned by of what it draws; see `Scheduler+Power.swift`.
    package internal(set) var power = PowerTerms() { didSet { standstill = nil } }
    /// What each GPU has left; see `Scheduler+Cards.swift`.
    package internal(set) var cards = CardRoom() { didSet { standstill = nil } }
    /// The cards of those that the last plan starts.
    var chosenCards: [JobID: [Int]] = [:]
    /// Whose jobs may share GPUs.
    var sharing: PolicySet? { didSet { standstill = nil } }
    /// How many jobs that wait need GPUs.
    package private(set) var awaitingCards = 0
    let lookAhead: Int

    private(set) var pending: [JobID: PendingJob] = [:]
    package private(set) var active: [JobID: ActiveJob] = [:] { didSet { standstill = nil } }
    private(set) var used = ResourceVector.zero
    /// Of users and projects that have limits.
    private(set) var tallies: [Party: Tally] = [:]
    private(set) var activeByArray: [JobID: Int] = [:]
    private var pendingByUser: [UInt32: Int] = [:]
    private var pendingByProject: [String: Int] = [:]
    /// Neither held nor of the future.
    var line = WaitingLine() { didSet { standstill = nil } }
    /// What rules and budgets say of jobs.
    var bindings = Bindings()
    private(set) var reservations: [Policy.Reservation] = []
    /// When they hold; nil where there are none.
    var windows: Windows?
    /// Jobs that wait, and when they have to start to end by their deadlines.
    var pressing = OrderedSet<Due>()
    var pressAt: [JobID: Timestamp] = [:]
    /// Active jobs that a rule may suspend.
    var suspendable = OrderedSet<JobID>()
    /// What accounts have used, where they have shares.
    var fairShare = FairShare()
    /// When the order between accounts was set last.
    var sharedAt: Timestamp?
    /// Jobs whose `notBefore` or planned start was to come when last asked.
    private var future = OrderedSet<Due>()
    /// When each of ``future`` is due.
    private(set) var dueAt: [JobID: Timestamp] = [:]

    /// What is learned of run times; see ``learn(_:of:)``.
    package private(set) var history = RunHistory() { didSet { standstill = nil } }
    /// When the first that waits was expected to start, when it became the first.
    var promise: (id: JobID, at: Timestamp)?
    /// What the last plan left, until something changes it: whatever the planner goes by drops it.
    var standstill: Standstill?
    /// What is known of what is to come.
    var forecast = ShiftForecast()
    var startIndexes = StartIndexes()
    /// What jobs that may be deferred are planned to use.
    var bookings = Bookings()
    /// The latest time any call told.
    var clock: Timestamp?
    /// The jobs of ``future`` that may be deferred.
    var shifts: [JobID: PlannedShift] = [:]
    /// When active jobs are to be suspended or resumed next.
    var borders = OrderedSet<Due>()
    var borderAt: [JobID: Timestamp] = [:]
    /// Active jobs that run and should not, or the other way about.
    var unsettled = OrderedSet<JobID>()

    struct Due: Comparable, Sendable {
        var at: Timestamp
        var id: JobID
        static func < (a: Due, b: Due) -> Bool { a.at == b.at ? a.id < b.id : a.at < b.at }
    }

    package init(
        capacity: ResourceVector, maxRunningPerUser: Setting<Int?> = Setting(nil),
        lookAhead: Int = Scheduler.lookAhead
    ) {
        self.init(
            capacity: capacity, limits: SchedulerLimits(user: .init(running: maxRunningPerUser)), lookAhead: lookAhead)
    }

    package init(capacity: ResourceVector, limits: SchedulerLimits, lookAhead: Int = Scheduler.lookAhead) {
        self.capacity = capacity
        if capacity.power == 0 { self.capacity.power = ResourceVector.unlimitedPower }
        self.limits = limits
        self.lookAhead = lookAhead
    }

    /// For jobs admitted under `policy` on `machine`.
    package init(policy: PolicySet, machine: MachineCapacity) {
        self.init(capacity: .zero)
        adopt(policy: policy, machine: machine)
    }

    /// Goes on under another policy or with another machine. Jobs that run go on running, even beyond the new limits.
    ///
    /// O(n log n) of the jobs waiting where rules, budgets, reservations or limits tell them apart, or did.
    package mutating func adopt(policy: PolicySet, machine: MachineCapacity) {
        let usable = policy.usable(of: machine)
        capacity = ResourceVector(cpus: usable.cpus, memory: usable.memory, gpus: usable.gpus)
        adoptCards(policy, usable)
        power.adopt(policy.machine)
        boundPower()
        let oldLimits = limits
        limits = SchedulerLimits(policy.limits)
        share(FairShare.Rules(policy.fairShare))
        reservations = policy.reservations
        windows = nil
        // Made when a plan first asks.
        if !reservations.isEmpty { keepWindows(now: clock ?? Timestamp(microseconds: 0)) }
        let hadStandings = bindings.policy != nil
        bindings.adopt(policy)
        if hadStandings || bindings.policy != nil || limits.project.isOpen != oldLimits.project.isOpen { standAnew() }
        if limits != oldLimits { countAnew() }
    }

    /// Gives each job its standing under another policy, and its place in the line.
    private mutating func standAnew() {
        line = WaitingLine()
        pressing = OrderedSet()
        pressAt = [:]
        sharedAt = nil
        for (id, job) in pending {
            let standing = stand(job)
            bindings.use(standing, 1)
            if standing != job.standing { pending[id]?.standing = standing }
            if let job = pending[id], job.isFree, dueAt[id] == nil {
                join(job)
            }
        }
        suspendable = OrderedSet()
        for (id, job) in active {
            let standing = stand(job)
            bindings.useActive(standing, 1)
            active[id]?.standing = standing
            if bindings[standing].canSuspend || job.isHalted || job.isOverCap { suspendable.insert(id) }
        }
    }

    /// Jobs that wait are paid for by other accounts from now on. O(n log n) of them.
    package mutating func payAnew(_ account: (PendingJob) -> String) {
        for (id, job) in pending {
            let new = account(job)
            guard new != job.account else { continue }
            let isInLine = job.isFree && dueAt[id] == nil
            if isInLine { line.remove(rank(job), owner: owner(job), shape: job.shape) }
            pending[id]?.account = new
            if isInLine, let job = pending[id] { line.insert(rank(job), owner: owner(job), shape: job.shape) }
        }
    }

    private mutating func countAnew() {
        tallies = [:]
        for job in active.values { count(job) { $0.add(job.request) } }
    }

    /// Changes what a job's user and project have together, as far as that is limited.
    private mutating func count(_ job: ActiveJob, _ change: (inout Tally) -> Void) {
        func count(_ party: Party) {
            change(&tallies[party, default: Tally()])
            if tallies[party]?.running == 0 { tallies[party] = nil }
        }
        if !limits.user.isOpen { count(.user(job.uid)) }
        if !limits.project.isOpen { count(.project(job.project)) }
    }

    func owner(_ job: PendingJob) -> Owner {
        Owner(
            uid: job.uid, account: job.account, project: limits.project.isOpen ? "" : job.project,
            standing: job.standing)
    }

    package var pendingCount: Int { pending.count }
    /// Jobs whose time has not come: deferred, or not to start before a time of their own.
    package var futureCount: Int { dueAt.count }
    package func isPending(_ id: JobID) -> Bool { pending[id] != nil }
    package func pendingJob(_ id: JobID) -> PendingJob? { pending[id] }
    package var waitingUsers: [UInt32] { pendingByUser.keys.sorted() }
    package func pendingCount(uid: UInt32) -> Int { pendingByUser[uid] ?? 0 }
    package func hasJobs(uid: UInt32) -> Bool { pendingByUser[uid] != nil || active.values.contains { $0.uid == uid } }
    package func pendingCount(project: String) -> Int { pendingByProject[project] ?? 0 }

    /// What no active job holds; negative when the capacity shrank below what is in use.
    package var free: ResourceVector {
        var free = capacity - used
        free.power -= power.excess
        return free
    }

    // MARK: - What happened

    /// A job waits. One that is already known by its id is replaced, as after a release or a change of priority.
    package mutating func add(_ job: PendingJob) {
        remove(job.id)
        var job = settled(job)
        job.standing = stand(job)
        bindings.use(job.standing, 1)
        pending[job.id] = job
        if job.request.gpus > 0 { awaitingCards += 1 }
        pendingByUser[job.uid, default: 0] += 1
        pendingByProject[job.project, default: 0] += 1
        if !job.isFree { return }
        let earliest = max(job.submittedAt, job.notBefore ?? job.submittedAt, clock ?? job.submittedAt)
        if let shift = bookShift(for: job, earliest: earliest), shift.start > earliest || job.notBefore != nil {
            shifts[job.id] = shift
            wait(job.id, until: shift.start)
        } else if let notBefore = job.notBefore {
            wait(job.id, until: notBefore)
        } else {
            join(job)
        }
    }

    /// A job waits no longer: cancelled, or about to start. An unknown id changes nothing.
    @discardableResult
    package mutating func remove(_ id: JobID) -> PendingJob? {
        guard let job = pending.removeValue(forKey: id) else { return nil }
        if job.request.gpus > 0 { awaitingCards -= 1 }
        Self.countDown(&pendingByUser, job.uid)
        Self.countDown(&pendingByProject, job.project)
        bindings.use(job.standing, -1)
        shifts[id] = nil
        bookings.release(id)
        forgetPressing(id)
        if !job.isFree { return job }
        if let due = dueAt.removeValue(forKey: id) {
            future.remove(Due(at: due, id: id))
        } else {
            line.remove(rank(job), owner: owner(job), shape: job.shape)
        }
        return job
    }

    /// A job that is free does not stand in the line before `time`. In the line it is an ordinary one.
    mutating func wait(_ id: JobID, until time: Timestamp) {
        let old = dueAt.updateValue(time, forKey: id)
        if old == time { return }
        if let old { future.remove(Due(at: old, id: id)) }
        future.insert(Due(at: time, id: id))
    }

    /// A job holds resources from now on, whether this scheduler planned it or it was found running.
    package mutating func started(_ job: ActiveJob) {
        let kept = standstill(after: job)
        let booking = bookings.release(job.id)
        remove(job.id)
        ended(job.id)
        var job = job
        job.standing = stand(job)
        bindings.useActive(job.standing, 1)
        if bindings[job.standing].canSuspend || job.isHalted { suspendable.insert(job.id) }
        if job.request.power == 0 { job.request.power = power.draw(of: job.request) }
        active[job.id] = job
        used += job.held
        cards.take(job.request, on: job.cards)
        count(job) { $0.add(job.request) }
        if let array = job.array { activeByArray[array, default: 0] += 1 }
        if let booking { bookings.book(job.id, booking.begun(at: job.startedAt)) }
        if job.shift != nil { planRuns(job.id, now: max(job.shift?.asOf ?? job.startedAt, clock ?? job.startedAt)) }
        standstill = kept
    }

    /// A job holds nothing any more. An unknown id changes nothing.
    @discardableResult
    package mutating func ended(_ id: JobID) -> ActiveJob? {
        guard let job = active.removeValue(forKey: id) else { return nil }
        used -= job.held
        cards.give(job.request, on: job.cards)
        bookings.release(id)
        setBorder(id, nil)
        unsettled.remove(id)
        suspendable.remove(id)
        bindings.useActive(job.standing, -1)
        count(job) { $0.take(job.request) }
        if let array = job.array { Self.countDown(&activeByArray, array) }
        return job
    }

    /// Changes an active job, and what is in use with it.
    mutating func change(_ id: JobID, _ body: (inout ActiveJob) -> Void) {
        guard var job = active[id] else { return }
        used -= job.held
        body(&job)
        used += job.held
        active[id] = job
    }

    /// Changes when an active job is expected to end: a suspended one does not run towards its limit.
    package mutating func expect(_ id: JobID, toEnd end: Timestamp?) {
        active[id]?.expectedEnd = end
        // It stood still, of which its likes tell nothing.
        active[id]?.predictedEnd = nil
    }

    /// An attempt has ended. What follows from it for its likes counts from the next plan on.
    package mutating func learn(_ run: RunSample, of keys: JobKeys) { history.note(run, of: keys) }

    private static func countDown<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key) {
        let left = (counts[key] ?? 1) - 1
        counts[key] = left > 0 ? left : nil
    }

    /// When the next job's time comes.
    var nextDue: Timestamp? { future.first?.at }

    /// Those whose time has come stand in the line.
    mutating func bringDue(now: Timestamp) {
        while let due = future.first, due.at <= now {
            future.remove(due)
            dueAt[due.id] = nil
            shifts[due.id] = nil
            if let job = pending[due.id] { join(job) }
        }
    }

    func isWaitingForItsTime(_ job: PendingJob) -> Bool {
        dueAt[job.id] != nil
    }

    private func rank(_ job: PendingJob) -> Rank {
        Rank(job, agingPerPoint: Self.agingMicroseconds)
    }
}
