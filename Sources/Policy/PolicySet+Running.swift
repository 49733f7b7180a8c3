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

    /// Why a job that was taken may not start now; nil when no rule is against it.
    ///
    /// Only rules that change with the clock, the grid or the machine are asked: what holds at all times was decided at
    /// submission, and a person may have released the job from it since.
    package func waits(
        _ subject: RuleMatch.Subject, at time: Timestamp, in conditions: Conditions = .unknown
    ) -> Wait? {
        if let suspension = bounds(for: subject, at: time, in: conditions).suspension { return suspension }
        let first = rules.first { $0.decides && $0.match.matches(subject, at: time, in: conditions) }
        guard let rule = first, rule.action == .hold, rule.match.changes else { return nil }
        return wait("held", rule, at: time)
    }

    /// What binds a job that runs, or would, now.
    ///
    /// Rules are asked in order until one allows; the first `suspend` counts, and of all caps the lowest. Only a job that may
    /// be interrupted is suspended.
    /// - Parameter whileSuspended: whether it stands still already, for thresholds that stop at one value and go on at another.
    package func bounds(
        for subject: RuleMatch.Subject, at time: Timestamp, in conditions: Conditions = .unknown,
        whileSuspended: Bool = false
    ) -> RunningBounds {
        var bounds = RunningBounds()
        let queue = queue(subject.queue)
        let canSuspend = isInterruptible(subject)
        if let queue, case .fixed(let power) = queue.powerLimit.value {
            bounds.power = Setting(power, source: queue.powerLimit.source)
        }
        if let queue, canSuspend, queue.deferral.suspends(in: conditions, whileSuspended: whileSuspended),
            let limit = (whileSuspended ? queue.deferral.resumeBelow.value : nil) ?? queue.deferral.suspendAbove.value
        {
            let setting = queue.deferral.suspendAbove
            bounds.suspension = Wait(
                reason: "suspended while above \(limit) (queue.\(queue.name).defer.suspend-above, \(setting.place))",
                rule: setting.source)
        }
        for rule in rules where rule.match.matches(subject, at: time, in: conditions) {
            if rule.action == .allow { break }
            if rule.action == .suspend, canSuspend, bounds.suspension == nil {
                bounds.suspension = wait("suspended", rule, at: time)
            }
            if rule.action == .cap { bounds.tighten(with: rule) }
        }
        return bounds
    }

    private func wait(_ what: String, _ rule: Rule, at time: Timestamp) -> Wait {
        Wait(
            reason: "\(what) by rule \"\(printable(rule.name))\" (\(rule.reference.place))"
                + (rule.message.map { ": " + $0 } ?? "")
                + (rule.match.dependsOnConditions ? "; the rule is: \(rule.summary)" : ""),
            rule: rule.reference, askAgain: rule.match.week.nextChange(after: time))
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
