import JobAPI
import Scheduling
import Units

extension Trace {
    /// The jobs that a site's own machine ran.
    ///
    /// Each computes as long as all its attempts did and draws what it drew on the mean. What its owner wanted it to wait for
    /// is waited for before it is submitted; other jobs are not.
    package init(history: History) {
        self.init()
        var users = Names()
        var projects = Names()
        var queues = Names()
        var kinds = Names()
        var models = Names()
        var groups = GroupSets()
        var facts = Facts()
        jobs.reserveCapacity(history.jobs.count)
        for past in history.jobs {
            guard Self.makesSense(past) else {
                facts.leftOut += 1
                continue
            }
            facts.count(past)
            let submit = past.notBefore.map { max($0, past.submittedAt) } ?? past.submittedAt
            var request = ResourceVector(cpus: past.cpus, memory: past.memoryBytes, gpus: past.gpus)
            if let memory = past.gpuMemoryBytes {
                request.card = CardNeed(memory: memory)
                request.card.mayShare = past.gpus > 0 && past.gpuShare != false
            }
            jobs.append(
                TraceJob(
                    name: past.name, submit: submit, runTime: past.durationS, request: request,
                    timeLimit: past.timeLimitS.map { max(1, $0) }, deadline: past.deadline,
                    interruptible: past.interruptible,
                    power: past.powerW, recordedWait: max(0, past.waitedS - submit.since(past.submittedAt).seconds),
                    user: users.number(of: past.user), project: projects.number(of: past.project),
                    group: past.groups.map { groups.number(of: $0) } ?? -1,
                    queue: queues.number(of: past.queue), application: past.kind.map { kinds.number(of: $0) } ?? -1))
            if let model = past.gpuModel { jobs[jobs.count - 1].gpuModel = models.number(of: model) }
        }
        self.users = users.list
        self.projects = projects.list
        self.queues = queues.list
        gpuModels = models.list
        self.groups = groups.list
        processors = history.machine?.cpus
        sortBySubmission()
        notes = facts.notes(waits: jobs.compactMap(\.recordedWait), isEverybodys: history.isEverybodys)
    }

    /// Whether it can be replayed: the answer of a program is checked as a file is.
    private static func makesSense(_ job: HistoryPage.Job) -> Bool {
        let moments = [job.submittedAt, job.notBefore, job.deadline].compactMap { $0 }
        return moments.allSatisfy(times.contains) && job.durationS > 0 && job.durationS <= longestRun
            && (0...mostCPUs).contains(job.cpus) && (0...mostCPUs).contains(job.gpus)
            && (0...(1 << 50)).contains(job.memoryBytes.bytes)
            && (job.gpuMemoryBytes.map { (1...(1 << 50)).contains($0.bytes) } ?? true)
            && job.gpuModel.flatMap(GPUModel.problem) == nil && job.waitedS.isFinite
            && (job.powerW.map { (0...1e6).contains($0) } ?? true)
            && (job.timeLimitS.map { $0 > 0 && $0 <= longestRun } ?? true)
    }
}

/// Gives each different set of groups the next number.
private struct GroupSets {
    private(set) var list: [[String]] = []
    private var index: [[String]: Int32] = [:]

    mutating func number(of groups: [String]) -> Int32 {
        let groups = groups.sorted()
        if let known = index[groups] { return known }
        let number = Int32(clamping: list.count)
        list.append(groups)
        index[groups] = number
        return number
    }
}

/// What is said of a history.
private struct Facts {
    var leftOut = 0
    var unfinished = 0
    var waitedForOthers = 0
    var withoutPower = 0
    var withoutGroups = 0

    mutating func count(_ job: HistoryPage.Job) {
        if job.state != .succeeded { unfinished += 1 }
        if job.waitedForOthers { waitedForOthers += 1 }
        if job.powerW == nil { withoutPower += 1 }
        if job.groups == nil { withoutGroups += 1 }
    }

    func notes(waits: [Double], isEverybodys: Bool) -> [String] {
        var notes: [String] = []
        if !isEverybodys {
            notes.append("only your own jobs: others' are for those who may see them ([access] see-others)")
        }
        if leftOut > 0 { notes.append("left out: \(leftOut) of which what the daemon tells makes no sense") }
        let distribution = Distribution(waits)
        if !waits.isEmpty {
            notes.append(
                "what really happened: waits of \(brief(distribution.mean)) on the mean, 95 % up to "
                    + brief(distribution.percentile(95)))
        }
        if unfinished > 0 {
            notes.append(
                "\(unfinished) of \(waits.count) did not succeed then; they compute as long here as they did")
        }
        if waitedForOthers > 0 {
            notes.append("\(waitedForOthers) waited for other jobs then; here they may start at once")
        }
        if withoutGroups > 0 {
            let (are, them) = withoutGroups == 1 ? ("is", "it") : ("are", "them")
            notes.append(
                "\(withoutGroups) \(are) of a release that did not note its users' groups:"
                    + " what asks for a group is not about \(them)")
        }
        if withoutPower > 0 {
            notes.append("\(withoutPower) were not metered: they draw what their CPUs and GPUs are taken to")
        }
        return notes
    }

    private func brief(_ seconds: Double) -> String { Duration.seconds(min(seconds.rounded(), 3e10)).brief }
}
