import JobAPI
import Policy
import Scheduling
import Units

/// Adds a replay up.
struct Tally {
    private let log: ReplayLog
    private let trace: Trace
    private let machine: SimulatedMachine
    private let prices: GridPrices
    private(set) var figures = SimulationFigures()
    private(set) var curves: SimulationCurves
    private(set) var notes: [String] = []
    /// How long each job computed, in seconds, and how long what it did takes with all its CPUs.
    private var computed: [Double]
    private var worked: [Double]
    private var users: [Int32: User] = [:]
    private var baselineGap = 0.0
    /// For how long nobody knows what the idling of the machine cost, where it is in the cost otherwise.
    private var idleCostGap = 0.0

    private struct User {
        var jobs = 0
        var waits: [Double] = []
        var energy = 0.0
        var carbon = 0.0
    }

    private let restart: Double

    init(
        _ log: ReplayLog, _ trace: Trace, _ machine: SimulatedMachine, _ prices: GridPrices, restart: Double
    ) {
        self.restart = restart
        self.log = log
        self.trace = trace
        self.machine = machine
        self.prices = prices
        computed = Array(repeating: 0, count: trace.jobs.count)
        worked = computed
        curves = SimulationCurves(begin: log.begin)
    }

    // MARK: - Energy

    /// Prices each time that a job computed, and the idling of the machine from begin to end.
    mutating func addSegments() {
        var carbon = GridPrices.Amount()
        var money = GridPrices.Amount()
        var held = (cpus: 0.0, gpus: 0.0)
        for segment in log.segments {
            let job = trace.jobs[Int(segment.job)]
            let part = log.runs[Int(segment.job)].gpuPart
            let watts = machine.power(of: job, gpuPart: part) * segment.share
            let seconds = segment.to.since(segment.from).seconds
            let grams = prices.grams(watts: watts, segment.from, segment.to)
            computed[Int(segment.job)] += seconds
            worked[Int(segment.job)] += seconds * segment.share
            figures.jobsEnergyJ += watts * seconds
            carbon += grams
            money += prices.money(watts: watts, segment.from, segment.to)
            held.cpus += seconds * Double(job.request.cpus)
            held.gpus += seconds * Double(job.request.gpus) * part
            users[job.user, default: User()].energy += watts * seconds
            users[job.user, default: User()].carbon += grams.amount
        }
        for resume in log.resumes where restart > 0 {
            let job = trace.jobs[Int(resume.job)]
            let watts = machine.power(of: job, gpuPart: log.runs[Int(resume.job)].gpuPart)
            // It takes energy at the moment's intensity, but no time: so many times what a second takes.
            let end = resume.at.advanced(by: .seconds(1))
            let grams = prices.grams(watts: watts, resume.at, end).amount * restart
            figures.restartEnergyJ += watts * restart
            carbon.amount += grams
            money.amount += prices.money(watts: watts, resume.at, end).amount * restart
            users[job.user, default: User()].energy += watts * restart
            users[job.user, default: User()].carbon += grams
        }
        figures.jobsEnergyJ += figures.restartEnergyJ
        figures.makespanS = max(0, log.end.since(log.begin).seconds)
        figures.idleEnergyJ = machine.idlePower * figures.makespanS
        figures.energyJ = figures.jobsEnergyJ + figures.idleEnergyJ
        // Where nothing of it is known a sum of 0 g would be a claim.
        figures.carbonGapS = prices.hasIntensity ? carbon.gap : 0
        let all = computed.reduce(0, +)
        func isKnown(_ amount: GridPrices.Amount) -> Bool { amount.gap == 0 || amount.gap < all * (1 - 1e-9) }
        if prices.hasIntensity, isKnown(carbon) {
            let idle = prices.grams(watts: machine.idlePower, log.begin, log.end).amount
            figures.jobsCarbonG = carbon.amount
            figures.idleCarbonG = idle
            figures.carbonG = carbon.amount + idle
        }
        figures.costGapS = prices.hasPrice ? money.gap : 0
        if prices.hasPrice, isKnown(money) {
            let idle = prices.money(watts: machine.idlePower, log.begin, log.end)
            figures.cost = money.amount + idle.amount
            idleCostGap = machine.idlePower > 0 ? idle.gap : 0
        }
        if let capacity = machine.capacity, figures.makespanS > 0 {
            figures.cpuUtilisationPercent = percent(held.cpus, of: Double(capacity.cpus) * figures.makespanS)
            figures.gpuUtilisationPercent = percent(held.gpus, of: Double(capacity.gpus) * figures.makespanS)
        }
        let sweep = PowerSweep(log, trace, machine, prices)
        figures.peakW = sweep.peak
        curves.stepS = sweep.step
        curves.powerW = sweep.bins
        curves.carbonByHourG = sweep.carbonByHour
    }

    private func percent(_ part: Double, of whole: Double) -> Double? { whole > 0 ? 100 * part / whole : nil }

    // MARK: - Jobs

    /// To be asked after ``addSegments()``.
    mutating func addJobs() {
        var waits: [Double] = []
        waits.reserveCapacity(log.runs.count)
        var slowdowns = 0.0
        var over = 0
        var baseline = 0.0
        for (index, run) in log.runs.enumerated() {
            let job = trace.jobs[index]
            count(run, job)
            guard let started = run.started else { continue }
            let wait = started.since(job.submit).seconds
            waits.append(wait)
            users[job.user, default: User()].jobs += 1
            users[job.user, default: User()].waits.append(wait)
            if run.isOver, let ended = run.ended {
                let total = ended.since(job.submit).seconds
                slowdowns += max(1, total / max(computed[index], Outcome.slowdownBound))
                over += 1
            }
            if prices.hasIntensity {
                // What was lost and computed again it would not have computed then.
                let length = min(worked[index], job.runTime)
                let end = job.submit.advanced(by: .microseconds(Int64(saturating: length * 1e6)))
                let grams = prices.grams(watts: machine.power(of: job, gpuPart: run.gpuPart), job.submit, end)
                baseline += grams.amount
                baselineGap += grams.gap
            }
        }
        figures.jobs = log.runs.count
        let distribution = Distribution(waits)
        figures.waitMeanS = distribution.mean
        figures.waitMedianS = distribution.median
        figures.p95WaitS = distribution.percentile(95)
        figures.waitMaxS = distribution.largest
        figures.boundedSlowdownMean = over > 0 ? slowdowns / Double(over) : 0
        if !waits.isEmpty { curves.waitByPercentS = (0...100).map { distribution.percentile(Double($0)) } }
        if let carbon = figures.jobsCarbonG {
            figures.carbonBaselineG = baseline
            figures.carbonSavedPercent = baseline > 0 ? 100 * (baseline - carbon) / baseline : nil
        }
        addUsers()
        addNotes()
    }

    private mutating func count(_ run: ReplayLog.Run, _ job: TraceJob) {
        switch run.state {
        case .finished: figures.jobsFinished += 1
        case .timedOut: figures.jobsTimedOut += 1
        case .refused: figures.jobsRefused += 1
        case .waiting, .running: figures.jobsUnfinished += 1
        }
        figures.suspensions += Int(run.suspensions)
        figures.preemptions += Int(run.preemptions)
        guard let deadline = job.deadline else { return }
        figures.deadlines += 1
        let isMet = run.state == .finished && (run.ended.map { $0 <= deadline } ?? false)
        if !isMet { figures.deadlinesMissed += 1 }
    }

    private mutating func addUsers() {
        figures.users = users.map { place, user in
            let waits = Distribution(user.waits)
            return SimulationFigures.User(
                user: trace.users.indices.contains(Int(place)) ? trace.users[Int(place)] : "(none)",
                jobs: user.jobs, waitMeanS: waits.mean, p95WaitS: waits.percentile(95), energyJ: user.energy,
                carbonG: figures.carbonG == nil ? nil : user.carbon)
        }.sorted { $0.user < $1.user }
    }

    private mutating func addNotes() {
        notes = log.notes
        for (reason, count) in log.refusals.sorted(by: { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value })
            .prefix(5)
        {
            notes.append("\(count) refused: \(reason)")
        }
        if figures.carbonGapS > 0 {
            notes.append(
                "the intensity is not known for \(Duration.seconds(min(figures.carbonGapS, 3e10)).brief) of the jobs' time,"
                    + " which no figure of carbon has")
        }
        if figures.costGapS > 0 || idleCostGap > 0 {
            func words(_ gap: Double) -> String { Duration.seconds(min(gap, 3e10)).brief }
            let gaps = [
                figures.costGapS > 0 ? "\(words(figures.costGapS)) of the jobs' time" : nil,
                idleCostGap > 0 ? "\(words(idleCostGap)) of the machine's idling" : nil,
            ].compactMap { $0 }
            notes.append("the price is not known for \(gaps.joined(separator: " and ")), which is not in the cost")
        }
        if baselineGap != figures.carbonGapS, figures.carbonSavedPercent != nil {
            notes.append(
                "the intensity covers less of the jobs' time at submission than of that in the replay, or more:"
                    + " carbon_saved_percent compares what it covers")
        }
    }
}
