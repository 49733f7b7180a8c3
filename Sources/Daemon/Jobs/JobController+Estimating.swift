import Carbon
import JobAPI
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
        try SubmissionCheck.check(spec, mayRead: settings.isSystemMode ? nil : peer.uid)
        var spec = spec
        spec.project = spec.project ?? settings.defaultProject
        let count = spec.array?.indices.count ?? 1
        spec.array = nil
        let now = Timestamp.now()
        let admission = policy.admit(
            spec, by: Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home),
            machine: machine, queuedByUser: scheduler.pendingCount(uid: peer.uid) + count - 1, now: now,
            runTime: learnedRunTime(of: spec, user: user.uid), power: expectation(for: spec, user: user.uid))
        guard case .accepted(let admitted) = admission else {
            guard case .refused(let refusal) = admission else { return .refused("refused") }
            return .refused(refusal.message, rule: refusal.rule?.description, hint: refusal.hint)
        }
        let site = await meter.site
        var estimate = Estimate(
            admission: .init(
                accepted: true, reason: admitted.reason, rule: admitted.rule?.description, queue: admitted.queue))
        estimate.timeLimitS = admitted.timeLimit
        let keys = JobKeys(spec, user: user.uid, queue: admitted.queue)
        let length = try forecastRun(spec, keys, &estimate)
        expectStart(spec, admitted, keys, user, now: now, &estimate)
        let deferral = admitted.deferral?.latestStart.advanced(by: length ?? .zero)
        let grid = GridEstimate(site: site, price: policy.carbon.price.value, forecast: scheduler.shiftForecast)
        estimate.currency = policy.carbon.price.value?.currency
        grid.fill(
            &estimate, length: length, now: max(now, estimate.expectedStart ?? now),
            deadline: deadline ?? spec.schedule.deadline ?? deferral,
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

    private func expectStart(
        _ spec: JobSpec, _ admitted: AdmittedJob, _ keys: JobKeys, _ user: User, now: Timestamp,
        _ estimate: inout Estimate
    ) {
        guard !admitted.held else { return estimate.notes.append("it would wait until somebody releases it") }
        let job = PendingJob(
            id: JobID(.max), uid: user.uid,
            account: policy.account(user: user.name, project: admitted.project), queue: admitted.queue,
            priority: admitted.priority, submittedAt: now, notBefore: admitted.notBefore,
            request: machine.request(spec.resources), timeLimit: admitted.timeLimit, likes: keys.work)
        let start = scheduler.expectedStart(of: job, now: now)
        estimate.expectedStart = start.at
        estimate.ahead = start.ahead
        if start.isBeyond {
            estimate.notes.append("more than \(start.ahead) jobs wait before it: nobody can tell when it starts")
        } else if start.at == nil {
            estimate.notes.append("nobody can tell when it starts: of what runs before it the end is not known")
        }
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
