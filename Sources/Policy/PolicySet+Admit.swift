package import JobAPI
package import Units

extension PolicySet {
    /// The project of jobs that name none.
    package static let defaultProject = "default"

    /// Decides whether a job is taken, and fills in what it left open. Pure: the same arguments give the same answer.
    ///
    /// Asked in this order, the first refusal is the answer: is the request well formed, does the queue exist, does the
    /// job fit the machine, the queue, the sandbox profile, the limits, the rules, the user's and the project's share of the
    /// queue. Before all that: may this person submit at all.
    /// - Parameters:
    ///   - spec: hostile; it may come straight from the wire.
    ///   - submitter: who the kernel says asks.
    ///   - machine: what the machine has, reserves included.
    ///   - queuedByUser: the submitter's jobs that wait now.
    ///   - queuedByProject: the project's jobs that wait now.
    ///   - conditions: how things stand, for rules that ask.
    ///   - power: what it is expected to draw; nil where nobody knows.
    ///   - runTime: how long jobs like it ran, in seconds; nil where nobody knows, then its time limit counts.
    package func admit(
        _ spec: JobSpec, by submitter: Submitter, machine: MachineCapacity, queuedByUser: Int,
        queuedByProject: Int = 0, now: Timestamp, conditions: Conditions = .unknown, runTime: Double? = nil,
        power: PowerExpectation? = nil
    ) -> Admission {
        if let refusal = mayRun(.submit, submitter).refusal { return .refused(refusal) }
        if let refusal = malformed(spec) { return .refused(refusal) }
        let name = spec.queue ?? defaultQueue?.name ?? ""
        guard let queue = queue(name), let profile = sandbox(queue.sandbox.value) else {
            return .refused(
                Refusal(
                    "there is no queue \"\(printable(name))\"",
                    hint: suggestion(name, among: queues.map(\.name), what: "queues")))
        }
        let refusal =
            tooLarge(spec.resources, for: machine) ?? tooMuch(spec.resources, for: queue)
            ?? profile.refusal(of: spec, by: submitter, queue: queue.name) ?? beyondLimits(spec.resources)
            ?? power.flatMap(beyondCap)
        if let refusal { return .refused(refusal) }

        var job = AdmittedJob(
            queue: queue.name, project: spec.project ?? Self.defaultProject, priority: queue.priority.value,
            timeLimit: spec.resources.timeLimit ?? queue.maxTime.value?.seconds, held: false,
            notBefore: spec.schedule.notBefore.flatMap { $0 > now ? $0 : nil }, reason: "accepted", rule: nil,
            sandbox: profile)
        if let start = job.notBefore { job.reason = "not before \(start), as the job asks" }
        let subject = self.subject(of: spec, queue: job.queue, project: job.project, by: submitter)
        job.interruptible = isInterruptible(subject)
        if let refusal = apply(rulesFor: subject, to: &job, now: now, conditions) { return .refused(refusal) }
        job.deadline = spec.schedule.deadline
        if let refusal = tooLate(job, asked: spec.schedule.notBefore, runTime: runTime, now: now) {
            return .refused(refusal)
        }
        if job.deferral == nil, queue.deferral.upTo.value > .zero {
            job.deferral = Deferral(
                latestStart: (job.notBefore ?? now).later(by: queue.deferral.upTo.value),
                goal: queue.deferral.minimise.value, source: queue.deferral.upTo.source)
        }

        let limit = limits.maxQueuedPerUser
        if queuedByUser >= limit.value {
            return .refused(
                Refusal(
                    "\(submitter.user) has \(queuedByUser) jobs queued; limits.max-queued-per-user is \(limit.value)"
                        + " (\(limit.place))",
                    rule: limit.source, hint: "wait for some to start, or cancel some"))
        }
        let share = limits.maxQueuedPerProject
        if let most = share.value, queuedByProject >= most {
            return .refused(
                Refusal(
                    "project \"\(job.project)\" has \(counted(queuedByProject, "job")) queued;"
                        + " limits.max-queued-per-project is \(most) (\(share.place))",
                    rule: share.source, hint: "wait for some to start, or cancel some"))
        }
        return .accepted(job)
    }

    // MARK: - Rules

    /// Asks the rules as of the earliest moment the job could run.
    ///
    /// How the grid and the machine stand is known for now alone. A job that starts later is asked about then with nothing
    /// known, and again when its turn has come: ``waits(_:at:in:)``.
    private func apply(
        rulesFor subject: RuleMatch.Subject, to job: inout AdmittedJob, now: Timestamp, _ conditions: Conditions
    ) -> Refusal? {
        let start = job.notBefore ?? now
        let conditions = start > now ? .unknown : conditions
        let first = rules.first { $0.decides && $0.match.matches(subject, at: start, in: conditions) }
        guard let rule = first else { return nil }
        job.rule = rule.reference
        let named = "rule \"\(printable(rule.name))\" (\(rule.reference.place))"
        let said = rule.message.map { ": " + $0 } ?? ""
        switch rule.action {
        case .allow, .suspend, .cap:
            return nil
        case .deny:
            let text = "the rule is: \(rule.summary)"
            let free = rule.match.dependsOnConditions ? nil : nextFreeTime(subject, after: start)
            let hint = free.map { "submit it again after \($0), or with not-before = \"\($0)\"; \(text)" }
            let moving = rule.match.dependsOnConditions ? "submit it again when that has passed; \(text)" : text
            return Refusal("refused by \(named)\(said)", rule: rule.reference, hint: hint ?? moving)
        case .hold:
            if rule.match.dependsOnConditions {
                // Nobody knows when that passes: it is asked again when the job's turn comes.
                job.reason = "held by \(named)\(said); the rule is: \(rule.summary)"
            } else if let free = nextFreeTime(subject, after: start) {
                job.notBefore = free
                job.reason = "held by \(named) until \(free)\(said)"
            } else {
                job.held = true
                job.reason = "held by \(named)\(said)"
            }
            return nil
        case .defer:
            applyDelay(of: rule, from: start, to: &job, named + said)
            return nil
        }
    }

    private func applyDelay(of rule: Rule, from start: Timestamp, to job: inout AdmittedJob, _ named: String) {
        switch rule.delay {
        case .upTo(let time, let goal):
            let latest = start.later(by: time)
            job.deferral = Deferral(latestStart: latest, goal: goal, source: rule.reference)
            job.reason = "may be deferred until \(latest) for less \(goal.rawValue) by \(named)"
        case .until(let clock):
            let time = start.next(clock)
            job.notBefore = time
            job.reason = "deferred until \(time) by \(named)"
        case nil: break
        }
    }

    /// The first full hour after `start` at which no rule denies or holds the job; nil when none comes within a week.
    private func nextFreeTime(_ subject: RuleMatch.Subject, after start: Timestamp) -> Timestamp? {
        var time = start
        for _ in 0...(7 * 24) {
            time = time.nextHour
            let action = rules.first { $0.decides && $0.match.matches(subject, at: time) }?.action ?? .allow
            if action != .deny && action != .hold { return time }
        }
        return nil
    }
}
