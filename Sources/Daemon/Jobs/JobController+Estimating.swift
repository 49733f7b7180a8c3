import Carbon
import JobAPI
import Ledger
import LinuxSystem
import Policy
import Scheduling
import Units

// What a job would take, cause and cost. Nothing is written, nobody waits.
extension JobController {
    /// How far a better start is looked for where neither the job nor the policy says by when it has to have ended.
    static let estimateWindow = Duration.seconds(86_400)

    /// - Parameter by: by when it has to have ended; nil for what the policy lets it wait.
    func estimate(_ spec: JobSpec, by deadline: Timestamp?, from peer: Peer) async throws -> Estimate {
        let user = User.lookup(uid: peer.uid, gid: peer.gid)
        let submitter = remember(
            Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home))
        try SubmissionCheck.check(spec, mayRead: settings.isSystemMode ? nil : peer.uid)
        var spec = spec
        spec.project = spec.project ?? settings.defaultProject
        spec.schedule.deadline = deadline ?? spec.schedule.deadline
        let count = spec.array?.indices.count ?? 1
        spec.array = nil
        let site = await meter.site
        let conditions = await conditionsOfAWaitingJob()
        let now = Timestamp.now()
        let admitted: AdmittedJob
        switch admission(of: spec, count: count, by: submitter, now: now, in: conditions) {
        case .accepted(let job): admitted = job
        case .refused(let refusal):
            return .refused(refusal.message, rule: refusal.rule?.description, hint: refusal.hint)
        }
        var estimate = Estimate(
            admission: .init(
                accepted: true, reason: admitted.reason, rule: admitted.rule?.description, queue: admitted.queue))
        estimate.timeLimitS = admitted.timeLimit
        let keys = JobKeys(spec, user: user.uid, queue: admitted.queue)
        let length = try forecastRun(spec, keys, &estimate)
        // Of what it waits for of other jobs it is free.
        let new = newJob(spec, admitted, user, groups: submitter.groups, after: [], now: now)
        let undeferred = expectStart(new, now: now, in: conditions, &estimate)
        let deferral = admitted.deferral?.latestStart.advanced(by: length ?? .zero)
        let grid = GridEstimate(site: site, price: policy.carbon.price.value, forecast: scheduler.shiftForecast)
        estimate.currency = policy.carbon.price.value?.currency
        grid.fill(
            &estimate, length: length, now: max(now, undeferred ?? now), deadline: admitted.deadline ?? deferral,
            goal: admitted.deferral?.goal == .cost ? .cost : .carbon)
        if count > 1 { estimate.notes.append("of each of the array's \(count) jobs") }
        if !spec.schedule.after.isEmpty { estimate.notes.append("without the wait for the jobs it names in \"after\"") }
        return estimate
    }

    /// How long it runs at what power.
    /// - Returns: how long it may take, for what has to end in time; nil where nobody can tell.
    private func forecastRun(_ spec: JobSpec, _ keys: JobKeys, _ estimate: inout Estimate) throws -> Duration? {
        let cpus = spec.resources.cpus
        let learned = scheduler.history.estimate(keys, cpus: cpus)
        let limit = estimate.timeLimitS
        if let learned {
            estimate.runs = learned.runs
            estimate.likes = learned.likeness.words
            func within(_ seconds: Double?) -> Double? { seconds.map { min($0, limit ?? $0) } ?? limit }
            estimate.durationS = Estimate.Range(
                low: within(learned.seconds.low) ?? 0, expected: learned.seconds.median.flatMap(within),
                high: within(learned.seconds.high))
            if learned.cut > 0 {
                estimate.notes.append("\(counted(learned.cut, "run")) of its likes did not end by their time limits")
            }
        } else {
            estimate.durationS = Estimate.Range(low: 0, high: limit)
            estimate.notes.append(
                limit == nil
                    ? "nothing is known of how long it runs: nothing like it ran here, and it has no time limit"
                    : "nothing like it ran here: it takes its time limit at most")
        }
        if let watts = learned?.watts {
            estimate.show(watts, "the same runs")
        } else {
            let power = MachinePower(
                seen: scheduler.history.machineWatts(keys, cpus: cpus), cpus: cpus,
                identity: try CPUIdentity(roots: settings.roots))
            estimate.show(power.watts, power.basis, isSeen: power.isSeen)
            if spec.resources.gpus > 0, power.watts.tier == .table {
                estimate.notes.append("without what its GPUs draw")
            }
        }
        if let queue = policy.queue(estimate.admission.queue ?? ""), queue.powerLimit.value == .fromHistory {
            let advice = scheduler.history.limit(keys.work)
            let held = if case .limit(let choice) = advice { Power(watts: choice.watts).description } else { "none" }
            estimate.notes.append("power limit by its history: \(held): \(advice.words)")
        }
        if let time = estimate.durationS, let power = estimate.powerW { estimate.energyJ = time * power }
        return estimate.durationS?.high.map { .seconds(min(max($0, 1), 1e9)) }
    }

    /// How things stand, also for rules that ask what the machine draws: that is looked at while jobs wait, as this one would.
    private func conditionsOfAWaitingJob() async -> Conditions {
        guard policy.asksForPower, conditions.power == nil else { return conditions }
        let power = await meter.power()
        var present = conditions
        present.power = present.power ?? power
        return present
    }

    /// What the scheduler says of it.
    /// - Returns: when it would start if it were not deferred; nil where nobody can tell.
    private func expectStart(
        _ new: NewJob, now: Timestamp, in conditions: Conditions, _ estimate: inout Estimate
    ) -> Timestamp? {
        if let note = whyNotDeferred(new.leeway, likes: new.likes, timeLimit: new.timeLimit) {
            estimate.notes.append(note)
        }
        let job = PendingJob(
            JobID(.max), new, on: machine, account: policy.account(user: new.user, project: new.project),
            flexibility: flexibility(new.leeway, likes: new.likes, timeLimit: new.timeLimit))
        scheduler.adopt(conditions: conditions)
        guard !new.held, let prospect = scheduler.prospect(of: job, now: now) else {
            estimate.notes.append("it would wait until somebody releases it")
            return nil
        }
        if let reason = prospect.reason {
            estimate.admission.reason = "accepted; " + reason.text
            estimate.admission.rule = reason.rule?.description ?? estimate.admission.rule
            estimate.admission.hint = reason.hint
        }
        estimate.expectedStart = prospect.start.at
        estimate.ahead = prospect.start.ahead
        if prospect.start.isBeyond {
            estimate.notes.append(
                "more than \(prospect.start.ahead) jobs wait before it: nobody can tell when it starts")
        } else if prospect.start.at == nil {
            estimate.notes.append(
                "nobody can tell when it starts: "
                    + (prospect.isKept
                        ? "what keeps it has no end that is known"
                        : "of what runs before it the end is not known"))
        }
        return prospect.undeferred.at
    }
}

extension Estimate {
    static func refused(_ message: String, rule: String? = nil, hint: String? = nil) -> Estimate {
        Estimate(admission: .init(accepted: false, reason: message, rule: rule, hint: hint))
    }

    fileprivate mutating func show(_ watts: RunSample.Watts, _ basis: String, isSeen: Bool = true) {
        powerW = Range(low: watts.low, expected: isSeen ? watts.mean : nil, high: watts.high)
        tier = watts.tier
        powerBasis = basis
    }
}
