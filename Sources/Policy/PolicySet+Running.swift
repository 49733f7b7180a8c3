package import JobAPI
package import Units

// Questions that are asked again and again: may this job start now, and what may it have while it runs?

/// What binds a job that runs, or would.
package struct RunningBounds: Hashable, Sendable {
    /// Why it has to stand still, and what says so; nil when it may run.
    package var suspension: Wait?
    /// The most it may draw.
    package var power: Setting<Power?> = Setting(nil)
    /// The most it may compute with, whatever it was granted.
    package var cpus: Setting<Int?> = Setting(nil)

    package init() {}
}

/// Why a job does not run now.
package struct Wait: Hashable, Sendable {
    /// For people.
    package var reason: String
    package var rule: RuleReference?
    /// When the clock may change the answer; nil when only other things can.
    package var askAgain: Timestamp?

    package init(reason: String, rule: RuleReference?, askAgain: Timestamp? = nil) {
        self.reason = reason
        self.rule = rule
        self.askAgain = askAgain
    }
}

extension PolicySet {
    /// What the rules see of a job.
    package func subject(
        of spec: JobSpec, queue: String, project: String, by submitter: Submitter
    ) -> RuleMatch.Subject {
        RuleMatch.Subject(
            submitter: submitter, project: project, queue: queue, kind: spec.kind, cpus: spec.resources.cpus,
            gpus: spec.resources.gpus, memory: spec.resources.memory, interruptible: spec.schedule.interruptible)
    }

    /// Whether any answer of ``waits(_:at:in:)`` or ``bounds(for:at:in:whileSuspended:)`` can be other than "run freely".
    package var bindsRunningJobs: Bool {
        rules.contains { !$0.decides || ($0.action == .hold && $0.match.changes) }
            || queues.contains { queue in
                if case .fixed = queue.powerLimit.value { return true }
                return queue.deferral.suspendAbove.value != nil
            }
    }

    /// Whether a rule asks what the machine draws.
    package var asksForPower: Bool { rules.contains { $0.match.powerAbove != nil } }

    /// Whether a rule or a queue asks how the grid stands.
    package var asksForGrid: Bool {
        rules.contains { $0.match.intensityAbove != nil || $0.match.priceAbove != nil }
            || queues.contains { $0.deferral.suspendAbove.value != nil }
    }

    /// Whether a rule may hold jobs to fewer CPUs than they asked for.
    package var capsCPUs: Bool { rules.contains { $0.cap.cpus != nil } }

    /// Why a job that was taken may not start now; nil when no rule is against it.
    ///
    /// Only rules that change with the clock, the grid or the machine are asked: what holds at all times was decided at
    /// submission, and a person may have released the job from it since.
    package func waits(
        _ subject: RuleMatch.Subject, at time: Timestamp, in conditions: Conditions = .unknown
    ) -> Wait? {
        waits(standing(of: subject), at: time, in: conditions)
    }

    package func waits(_ standing: Standing, at time: Timestamp, in conditions: Conditions = .unknown) -> Wait? {
        if let suspension = suspension(of: standing, at: time, in: conditions) { return suspension }
        let first = standing.rules.first { place in
            rules[place].decides && rules[place].match.holds(at: time, in: conditions)
                && !(standing.isPressed && rules[place].isOfTheGrid)
        }
        guard let first, rules[first].action == .hold, rules[first].match.changes else { return nil }
        return wait("held", first, of: standing, at: time)
    }

    /// Why a job has to stand still now; nil when it may run.
    ///
    /// Rules are asked in order until one allows; the first `suspend` counts. Only a job that may be interrupted is suspended, and
    /// for carbon or money only inside its slack.
    /// - Parameter whileSuspended: whether it stands still already, for thresholds that stop at one value and go on at another.
    package func suspension(
        of standing: Standing, at time: Timestamp, in conditions: Conditions = .unknown, whileSuspended: Bool = false
    ) -> Wait? {
        guard standing.canSuspend else { return nil }
        if !standing.isPressed, let queue = standing.queue.flatMap({ queue($0) }),
            queue.deferral.suspends(in: conditions, whileSuspended: whileSuspended),
            let limit = (whileSuspended ? queue.deferral.resumeBelow.value : nil) ?? queue.deferral.suspendAbove.value
        {
            let setting = queue.deferral.suspendAbove
            return Wait(
                reason: "suspended while above \(limit) (queue.\(queue.name).defer.suspend-above, \(setting.place))",
                rule: setting.source)
        }
        for place in standing.rules where rules[place].match.holds(at: time, in: conditions) {
            if rules[place].action == .allow { return nil }
            if standing.isPressed, rules[place].isOfTheGrid { continue }
            if rules[place].action == .suspend { return wait("suspended", place, of: standing, at: time) }
        }
        return nil
    }

    /// What binds a job that runs, or would, now. Of all caps the lowest counts, and none behind a rule that allows.
    package func bounds(
        for subject: RuleMatch.Subject, at time: Timestamp, in conditions: Conditions = .unknown,
        whileSuspended: Bool = false
    ) -> RunningBounds {
        var power = Setting<Power?>(nil)
        if let queue = queue(subject.queue), case .fixed(let value) = queue.powerLimit.value {
            power = Setting(value, source: queue.powerLimit.source)
        }
        let standing = standing(of: subject)
        var bounds = caps(of: standing, at: time, in: conditions, power)
        bounds.suspension = suspension(of: standing, at: time, in: conditions, whileSuspended: whileSuspended)
        return bounds
    }

    /// What rules hold jobs of a standing to now.
    package func caps(
        of standing: Standing, at time: Timestamp, in conditions: Conditions = .unknown,
        _ power: Setting<Power?> = Setting(nil)
    ) -> RunningBounds {
        var bounds = RunningBounds()
        bounds.power = power
        for rule in standing.rules.lazy.map({ rules[$0] }) where rule.match.holds(at: time, in: conditions) {
            if rule.action == .allow { break }
            if rule.action == .cap { bounds.tighten(with: rule) }
        }
        return bounds
    }

    /// - Parameter place: of the rule that keeps the job.
    private func wait(_ what: String, _ place: Int, of standing: Standing, at time: Timestamp) -> Wait {
        let rule = rules[place]
        // The clock may end its hours, or begin those of a rule before it that lets the job go.
        let others = standing.rules.prefix { $0 != place }.filter { rules[$0].decides && rules[$0].action != .hold }
        let changes = (others + [place]).compactMap { rules[$0].match.week.nextChange(after: time) }
        return Wait(
            reason: "\(what) by rule \"\(printable(rule.name))\" (\(rule.reference.place))"
                + (rule.message.map { ": " + $0 } ?? "")
                + (rule.match.dependsOnConditions ? "; the rule is: \(rule.summary)" : ""),
            rule: rule.reference, askAgain: changes.min())
    }

    /// The first moment after `time` at which the clock alone may change an answer of this policy: a rule's hours, a
    /// reservation, the period of a budget. Nil when nothing here depends on the clock.
    package func nextChange(after time: Timestamp) -> Timestamp? {
        var changes = rules.compactMap { $0.match.week.nextChange(after: time) }
        changes += reservations.compactMap { $0.nextChange(after: time) }
        for budget in budgets { changes += budget.limits.map { $0.interval(at: time).upperBound } }
        return changes.min()
    }
}

extension Rule {
    /// It keeps jobs while the grid is dirty or dear.
    var isOfTheGrid: Bool {
        (action == .hold || action == .suspend) && (match.intensityAbove != nil || match.priceAbove != nil)
    }
}

extension RunningBounds {
    fileprivate mutating func tighten(with rule: Rule) {
        if let cap = rule.cap.power, power.value.map({ cap < $0 }) ?? true {
            power = Setting(cap, source: rule.reference)
        }
        if let cap = rule.cap.cpus, cpus.value.map({ cap < $0 }) ?? true {
            cpus = Setting(cap, source: rule.reference)
        }
    }
}
