import JobAPI
package import Policy
package import Units

/// The number of a ``Standing``, as small as a million jobs want it.
struct StandingID: Hashable, Sendable {
    var number: Int32
    /// Of those that nothing binds.
    static let plain = StandingID(number: 0)
}

/// A budget of which nothing is left: its jobs wait.
package struct SpentBudget: Hashable, Sendable {
    /// When all begins anew.
    package var until: Timestamp
    package var reason: String
    package var rule: RuleReference
    /// The least that lets its jobs go on, as it is typed: `mlctl budget grant nlp "13 J"`.
    package var grants: [String]

    package init(until: Timestamp, reason: String, rule: RuleReference, grants: [String] = []) {
        self.until = until
        self.reason = reason
        self.rule = rule
        self.grants = grants
    }
}

/// What the policy's rules and budgets say of each standing now. Asked anew only when the clock, the grid, the machine or a budget
/// may have changed an answer, and once for all jobs of a standing.
struct Bindings: Sendable {
    private(set) var policy: PolicySet?
    var conditions = Conditions.unknown
    /// By name.
    var spent: [String: SpentBudget] = [:]
    /// Something other than the clock may have changed an answer.
    var isStale = false

    private var submitters: [UInt32: Submitter] = [:]
    private(set) var standings = [Standing.plain]
    private var numbers = [Standing.plain: StandingID.plain]
    private var known: [Key: StandingID] = [:]
    private var pressedOf: [StandingID: StandingID] = [:]
    /// How many jobs are of each.
    private var uses = [0]

    /// Why jobs of a standing may not start now.
    private(set) var waits: [StandingID: Wait] = [:]
    /// Why those that run are to stand still, and why those that do are to do so still.
    private var suspensions: [StandingID: Wait] = [:]
    private var stays: [StandingID: Wait] = [:]
    /// The most CPUs that jobs of a standing may compute with.
    private(set) var caps: [StandingID: Setting<Int?>] = [:]
    private var changes: [StandingID: Timestamp] = [:]
    private var askedAt: Timestamp?

    /// What two jobs of one standing have in common, at least.
    private struct Key: Hashable {
        var uid: UInt32
        var project: String
        var queue: String
        var request: ResourceVector
        var isTraining: Bool
        var isInterruptible: Bool
    }

    mutating func adopt(_ policy: PolicySet) {
        self.policy = policy.hasStandings ? policy : nil
        standings = [.plain]
        numbers = [.plain: .plain]
        known = [:]
        pressedOf = [:]
        uses = [0]
        forget()
        isStale = true
    }

    /// What waits keeps the standing it was given: groups change rarely, and a reload asks for all of them.
    mutating func know(_ submitter: Submitter) {
        if submitters.updateValue(submitter, forKey: submitter.uid) != submitter { known = [:] }
    }

    mutating func standing(
        uid: UInt32, project: String, queue: String, request: ResourceVector, isTraining: Bool, isInterruptible: Bool
    ) -> StandingID {
        guard let policy else { return .plain }
        var request = request
        request.power = 0
        request.card = .whole
        let key = Key(
            uid: uid, project: project, queue: queue, request: request, isTraining: isTraining,
            isInterruptible: isInterruptible)
        if let id = known[key] { return id }
        let standing = policy.standing(
            of: RuleMatch.Subject(
                submitter: submitters[uid] ?? Submitter(uid: uid, user: "\(uid)", groups: []), project: project,
                queue: queue, kind: isTraining ? "train" : "command", cpus: request.cpus, gpus: request.gpus,
                memory: request.memory, interruptible: isInterruptible))
        let id = number(of: standing)
        // Who submits decides how many there are.
        if known.count > 10_000 { known = [:] }
        known[key] = id
        return id
    }

    /// The standing of those that have to run now to end by their deadline.
    mutating func pressed(_ id: StandingID) -> StandingID {
        if let known = pressedOf[id] { return known }
        guard let pressed = policy?.pressed(self[id]) else { return id }
        let number = number(of: pressed)
        pressedOf[id] = number
        return number
    }

    /// The same, of one that was asked for.
    func knownPressed(_ id: StandingID) -> StandingID { pressedOf[id] ?? id }

    private mutating func number(of standing: Standing) -> StandingID {
        if let known = numbers[standing] { return known }
        let id = StandingID(number: Int32(clamping: standings.count))
        numbers[standing] = id
        standings.append(standing)
        uses.append(0)
        isStale = true
        return id
    }

    /// When the clock lets a job of a standing start, from a moment on and for as long as is asked; all the time where no rule's hours
    /// are against it.
    func openings(_ id: StandingID, from start: Timestamp, to end: Timestamp) -> [ClosedRange<Timestamp>] {
        let standing = self[id]
        guard let policy, !standing.rules.isEmpty, start <= end else { return start <= end ? [start...end] : [] }
        var openings: [ClosedRange<Timestamp>] = []
        var at = start
        // Rules change at full hours: this is half a year of the busiest.
        for _ in 0..<4400 {
            let next = policy.nextChange(for: standing, after: at)
            if policy.waits(standing, at: at) == nil {
                let last = min(end, next?.advanced(by: .microseconds(-1)) ?? end)
                if let open = openings.last, open.upperBound.advanced(by: .microseconds(1)) == at {
                    openings[openings.count - 1] = open.lowerBound...last
                } else {
                    openings.append(at...last)
                }
            }
            guard let next, next <= end, next > at else { break }
            at = next
        }
        return openings
    }

    subscript(id: StandingID) -> Standing { standings[Int(id.number)] }

    mutating func use(_ id: StandingID, _ change: Int) { uses[Int(id.number)] += change }

    /// What only keeps jobs from starting is nothing to those that run.
    mutating func useActive(_ id: StandingID, _ change: Int) {
        let standing = self[id]
        let isCapped = standing.rules.contains { policy?.rules[$0].action == .cap }
        if standing.canSuspend || isCapped { use(id, change) }
    }

    // MARK: - Asking

    /// Asks again, where an answer may have changed.
    /// - Returns: false when nothing was asked.
    mutating func ask(at now: Timestamp) -> Bool {
        guard policy != nil || isStale else { return false }
        let isEarlier = askedAt.map { now < $0 } ?? false
        guard isStale || isEarlier || changes.values.contains(where: { $0 <= now }) else { return false }
        isStale = false
        askedAt = now
        forget()
        guard let policy else { return true }
        for (number, standing) in standings.enumerated() where standing != .plain {
            let id = StandingID(number: Int32(clamping: number))
            waits[id] = wait(standing, at: now)
            suspensions[id] = policy.suspension(of: standing, at: now, in: conditions)
            stays[id] = policy.suspension(of: standing, at: now, in: conditions, whileSuspended: true)
            let cap = policy.caps(of: standing, at: now, in: conditions).cpus
            if cap.value != nil { caps[id] = cap }
            let ends = budgets(of: standing, at: now).map(\.until)
            changes[id] = ([policy.nextChange(for: standing, after: now)].compactMap { $0 } + ends).min()
        }
        return true
    }

    private mutating func forget() { (waits, suspensions, stays, caps, changes) = ([:], [:], [:], [:], [:]) }

    /// Why a job may not start at `now`, whenever rules were asked last.
    func wait(_ id: StandingID, at now: Timestamp) -> Wait? { wait(self[id], at: now) }

    private func wait(_ standing: Standing, at now: Timestamp) -> Wait? {
        guard let policy, standing != .plain else { return nil }
        if let wait = policy.waits(standing, at: now, in: conditions) { return wait }
        guard let budget = budgets(of: standing, at: now).first else { return nil }
        return Wait(reason: budget.reason, rule: budget.rule, askAgain: budget.until)
    }

    /// Those that are spent.
    private func budgets(of standing: Standing, at now: Timestamp) -> [SpentBudget] {
        guard let policy, !spent.isEmpty else { return [] }
        return standing.budgets.compactMap { spent[policy.budgets[$0].name] }.filter { $0.until > now }
    }

    /// The budgets that keep a job from starting, where no rule does.
    func spentBudgets(of id: StandingID, at now: Timestamp) -> [(name: String, budget: SpentBudget)] {
        guard let policy, !spent.isEmpty, policy.waits(self[id], at: now, in: conditions) == nil else { return [] }
        return self[id].budgets.map { policy.budgets[$0].name }.compactMap { name in
            spent[name].flatMap { $0.until > now ? (name: name, budget: $0) : nil }
        }
    }

    /// Why a job is to stand still; nil when it may run.
    func suspension(_ id: StandingID, whileSuspended: Bool) -> Wait? {
        whileSuspended ? stays[id] : suspensions[id]
    }

    /// Those whose jobs may use one of these reservations.
    func standingsUsing(_ places: [Int]) -> [StandingID] {
        standings.indices.filter { number in
            uses[number] > 0 && standings[number].reservations.contains { places.contains($0) }
        }.map { StandingID(number: Int32(clamping: $0)) }
    }

    /// When the clock may change an answer for a job there is.
    var nextChange: Timestamp? {
        changes.lazy.filter { uses[Int($0.key.number)] > 0 }.map(\.value).min()
    }
}
