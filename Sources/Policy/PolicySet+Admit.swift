package import JobAPI
package import Units

extension PolicySet {
    /// The project of jobs that name none.
    package static let defaultProject = "default"

    /// Decides whether a job is taken, and fills in what it left open. Pure: the same arguments give the same answer.
    ///
    /// Asked in this order, the first refusal is the answer: is the request well formed, does the queue exist, does the
    /// job fit the machine, the queue, the sandbox profile, the rules, the user's share of the queue.
    /// - Parameters:
    ///   - spec: hostile; it may come straight from the wire.
    ///   - submitter: who the kernel says asks.
    ///   - machine: what the machine has, reserves included.
    ///   - queuedByUser: the submitter's jobs that wait now.
    package func admit(
        _ spec: JobSpec, by submitter: Submitter, machine: MachineCapacity, queuedByUser: Int, now: Timestamp
    ) -> Admission {
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
            ?? profile.refusal(of: spec, by: submitter, queue: queue.name)
        if let refusal { return .refused(refusal) }

        var job = AdmittedJob(
            queue: queue.name, project: spec.project ?? Self.defaultProject, priority: queue.priority.value,
            timeLimit: spec.resources.timeLimit ?? queue.maxTime.value?.seconds, held: false,
            notBefore: spec.schedule.notBefore.flatMap { $0 > now ? $0 : nil }, reason: "accepted", rule: nil,
            sandbox: profile)
        if let start = job.notBefore { job.reason = "not before \(start), as the job asks" }
        let subject = RuleMatch.Subject(
            submitter: submitter, project: job.project, queue: job.queue, kind: spec.kind, cpus: spec.resources.cpus,
            gpus: spec.resources.gpus, memory: spec.resources.memory)
        if let refusal = apply(rulesFor: subject, to: &job, at: job.notBefore ?? now) { return .refused(refusal) }

        let limit = limits.maxQueuedPerUser
        if queuedByUser >= limit.value {
            return .refused(
                Refusal(
                    "\(submitter.user) has \(queuedByUser) jobs queued; limits.max-queued-per-user is \(limit.value)"
                        + " (\(limit.place))",
                    rule: limit.source, hint: "wait for some to start, or cancel some"))
        }
        return .accepted(job)
    }

    // MARK: - Rules

    /// Asks the rules as of `start`, the earliest moment the job could run.
    private func apply(
        rulesFor subject: RuleMatch.Subject, to job: inout AdmittedJob, at start: Timestamp
    ) -> Refusal? {
        guard let rule = rules.first(where: { $0.match.matches(subject, at: start) }) else { return nil }
        job.rule = rule.reference
        let named = "rule \"\(rule.name)\" (\(rule.reference.place))"
        let said = rule.message.map { ": " + $0 } ?? ""
        let free = nextFreeTime(subject, after: start)
        switch rule.action {
        case .allow:
            return nil
        case .deny:
            let conditions = "the rule is: \(rule.summary)"
            let hint = free.map { "submit it again after \($0), or with not-before = \"\($0)\"; \(conditions)" }
            return Refusal("refused by \(named)\(said)", rule: rule.reference, hint: hint ?? conditions)
        case .hold:
            if let free {
                job.notBefore = free
                job.reason = "held by \(named) until \(free)\(said)"
            } else {
                job.held = true
                job.reason = "held by \(named)\(said)"
            }
            return nil
        }
    }

    /// The first full hour after `start` at which no rule denies or holds the job; nil when none comes within a week.
    private func nextFreeTime(_ subject: RuleMatch.Subject, after start: Timestamp) -> Timestamp? {
        var time = start
        for _ in 0...(7 * 24) {
            time = time.nextHour
            let action = rules.first { $0.match.matches(subject, at: time) }?.action ?? .allow
            if action == .allow { return time }
        }
        return nil
    }
}
