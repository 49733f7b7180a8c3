import JobAPI
import Policy
import Scheduling
import Units

/// Who the users of a trace are to the policy: each has a number of its own and is in the groups of its job.
struct Submitters: Sendable {
    private var known: [Key: Submitter] = [:]
    private let trace: Trace

    private struct Key: Hashable, Sendable {
        var user: Int32
        var group: Int32
    }

    init(_ trace: Trace) { self.trace = trace }

    mutating func submitter(of job: TraceJob) -> Submitter {
        let key = Key(user: job.user, group: job.group)
        if let submitter = known[key] { return submitter }
        let submitter = make(job)
        known[key] = submitter
        return submitter
    }

    /// The same where it was asked for before.
    func known(_ job: TraceJob) -> Submitter { known[Key(user: job.user, group: job.group)] ?? make(job) }

    private func make(_ job: TraceJob) -> Submitter {
        let groups = trace.groups.indices.contains(Int(job.group)) ? trace.groups[Int(job.group)] : []
        return Submitter(uid: Self.uid(of: job), user: name(job.user, in: trace.users) ?? "unknown", groups: groups)
    }

    /// Never 0: nobody is root here.
    static func uid(of job: TraceJob) -> UInt32 { UInt32(clamping: Int64(job.user) + 1001) }

    func name(_ place: Int32, in names: [String]) -> String? {
        names.indices.contains(Int(place)) ? names[Int(place)] : nil
    }
}

extension Replay {
    /// Asks the policy as a submission to the daemon would, and lets the job wait if it is taken.
    mutating func submit(_ index: Int, at now: Timestamp) {
        let job = trace.jobs[index]
        let submitter = submitters.submitter(of: job)
        log.events += 1
        let admission = policy.admit(
            spec(of: job), by: submitter, machine: machine.limits,
            queuedByUser: scheduler.pendingCount(uid: submitter.uid),
            queuedByProject: scheduler.pendingCount(
                project: submitters.name(job.project, in: trace.projects) ?? PolicySet.defaultProject),
            now: now, conditions: conditions, power: expectation(of: job))
        switch admission {
        case .refused(let refusal): refuse(index, refusal.message)
        case .accepted(let admitted):
            let share = policy.fairShare
            scheduler.know(submitter)
            scheduler.add(
                PendingJob(
                    id: JobID(Int64(index) + 1), uid: submitter.uid,
                    account: share.isOn ? share.account(user: submitter.user, project: admitted.project) : "",
                    project: admitted.project, queue: admitted.queue, priority: admitted.priority, submittedAt: now,
                    notBefore: admitted.notBefore, held: admitted.held, request: request(of: job),
                    timeLimit: timeLimit(of: job, admitted), flexibility: flexibility(of: job, admitted),
                    likes: options.limits == .learned ? keys(of: job).work : 0, isInterruptible: job.interruptible))
        }
    }

    /// What it draws is known from the trace or the machine, and planned by where the policy caps it.
    private func request(of job: TraceJob) -> ResourceVector {
        var request = job.request
        if job.request.gpus > 0 { request.card = asked(of: job).map { machine.limits.request($0).card } ?? .whole }
        guard policy.machine.powerCap.value != nil else { return request }
        request.power = PowerTerms.milliwatts(machine.power(of: job))
        return request
    }

    private func expectation(of job: TraceJob) -> PowerExpectation? {
        guard policy.machine.powerCap.value != nil else { return nil }
        return PowerExpectation(
            idle: Power(watts: scheduler.power.idle), job: Power(watts: machine.power(of: job)), isLearned: true)
    }

    /// What the scheduler takes for the job's limit.
    private mutating func timeLimit(of job: TraceJob, _ admitted: AdmittedJob) -> Double? {
        guard options.limits == .exact else { return admitted.timeLimit }
        if let asked = admitted.timeLimit, asked < job.runTime { log.longerThanQueue += 1 }
        return max(1, job.runTime)
    }

    /// How far the job may be deferred: up to its deadline alone, if it has one, else as far as the policy lets it wait.
    private func flexibility(of job: TraceJob, _ admitted: AdmittedJob) -> Flexibility? {
        let deferral = admitted.deferral
        guard let forecast = options.forecast, job.deadline != nil || deferral != nil,
            let runTime = options.limits == .exact ? job.runTime : admitted.timeLimit
        else { return nil }
        let goal: Flexibility.Goal =
            switch deferral?.goal {
            case .carbon: .carbon
            case .cost: .cost
            case nil: forecast.intensity == nil && forecast.price != nil ? .cost : .carbon
            }
        return Flexibility(
            deadline: job.deadline, latestStart: deferral?.latestStart, runTime: runTime,
            isInterruptible: admitted.interruptible, restart: forecast.restart, goal: goal, source: deferral?.source)
    }

    private mutating func refuse(_ index: Int, _ message: String) {
        log.runs[index].state = .refused
        // Messages name users and numbers; a trace may make a million of them.
        let key = log.refusals[message] != nil || log.refusals.count < 20 ? message : "other reasons"
        log.refusals[key, default: 0] += 1
    }

    /// The submission a trace's job stands for. A queue that the policy does not have is its default queue: the names of traces
    /// are those of other machines.
    ///
    /// With exact limits nobody stated one, so none can be refused for being above the queue's.
    private func spec(of job: TraceJob) -> JobSpec {
        let queue = submitters.name(job.queue, in: trace.queues).flatMap { policy.queue($0) } ?? policy.defaultQueue
        var limit = job.timeLimit
        if options.limits == .exact {
            limit = min(max(1, job.runTime), max(1, queue?.maxTime.value?.seconds ?? .infinity))
        }
        var resources = asked(of: job) ?? JobSpec.Resources(gpus: job.request.gpus)
        resources.cpus = job.request.cpus
        resources.memory = job.request.memory
        resources.timeLimit = limit
        return JobSpec(
            project: submitters.name(job.project, in: trace.projects), queue: queue?.name,
            resources: resources, schedule: .init(interruptible: job.interruptible), command: Self.command)
    }

    /// What it asks for of each GPU; nil for nothing, and where the machine only counts them.
    private func asked(of job: TraceJob) -> JobSpec.Resources? {
        guard job.request.gpus > 0, machine.capacity?.cards.isEmpty == false else { return nil }
        let card = job.request.card
        return JobSpec.Resources(
            gpus: job.request.gpus, gpuMemory: card.mebibytes > 0 ? card.memory : nil,
            gpuModel: submitters.name(job.gpuModel, in: trace.gpuModels), gpuShare: card.mayShare ? nil : false)
    }

    private static let command = JobSpec.Command(argv: ["true"])
}
