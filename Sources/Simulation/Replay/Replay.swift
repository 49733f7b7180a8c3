import JobAPI
package import Policy
import Scheduling
import Units

/// Runs a trace of jobs through the daemon's own scheduler under a policy, event by event.
///
/// The scheduler is driven as the daemon drives it: jobs pass admission and are added, a plan is asked for once per moment in
/// which anything happened and whenever the last plan asked to be woken, what it starts is started, and ends are told. It never
/// learns how long a job will run, only its time limit, and how long those ran that have ended. The work per event does not grow with the jobs that wait.
package struct Replay: Sendable {
    /// What the scheduler takes for a job's time limit.
    package enum Limits: String, Sendable, CaseIterable {
        /// What the trace says; where it says nothing, the queue's longest time.
        case stated
        /// As `stated`, and beside it what was learned of those that ended before: as the daemon does.
        case learned
        /// The run time itself, as if every owner knew it: the best case for backfilling. No job is refused or cut short for being
        /// longer than its queue allows.
        case exact
    }

    package struct Options: Hashable, Sendable {
        package var limits: Limits
        /// How many kinds of jobs a plan looks at behind the first that waits; 1 is first come, first served, see ``firstCome``.
        package var lookAhead: Int
        /// What is foretold of the grid, by which jobs are deferred and suspended; nil defers nothing.
        package var forecast: SimulatedForecast?
        /// By which budgets of carbon and money are counted.
        package var prices: GridPrices
        /// Whether ``ReplayLog/promises`` is kept.
        package var recordsPromises: Bool

        package init(
            limits: Limits = .stated, lookAhead: Int = Scheduler.lookAhead, forecast: SimulatedForecast? = nil,
            prices: GridPrices = GridPrices(), recordsPromises: Bool = false
        ) {
            self.prices = prices
            self.forecast = forecast
            self.limits = limits
            self.lookAhead = lookAhead
            self.recordsPromises = recordsPromises
        }

        /// The same without backfilling.
        package var firstCome: Options {
            var options = self
            options.lookAhead = 1
            return options
        }
    }

    /// A job that was started and has not ended.
    struct Active {
        var index: Int
        /// Whose share it uses.
        var account: String
        /// As it waited, and would wait again.
        var pending: PendingJob
        /// When it last began to compute.
        var since: Timestamp
        /// What it has to compute from then on with all its CPUs, and what its limit leaves it, in microseconds.
        var work: Int64
        var allowance: Int64?
        /// The part of its CPUs that a rule leaves it.
        var share = 1.0
        /// The budgets it is paid from, by their places in the policy.
        var budgets: [Int] = []
        /// The event that ends it; those of its earlier segments mean nothing.
        var event: UInt64
        var isSuspended = false

        /// How long its work takes at its pace, in microseconds.
        var needed: Int64 { share == 1 ? work : Int64((Double(work) / share).rounded(.up)) }
        /// Its limit ends it before its work is done.
        var isCut: Bool { (allowance ?? needed) < needed }

        /// What is left when it has computed until `now`.
        mutating func compute(until now: Timestamp) {
            let done = now.microseconds - since.microseconds
            work = max(0, work - (share == 1 ? done : Int64(Double(done) * share)))
            allowance = allowance.map { max(0, $0 - done) }
        }
    }

    let trace: Trace
    let policy: PolicySet
    let machine: SimulatedMachine
    let options: Options
    var scheduler: Scheduler
    var submitters: Submitters
    var log: ReplayLog
    var active: [JobID: Active] = [:]
    var ends = EventHeap()
    /// The intensity that fair shares of carbon are counted by.
    let intensity: GridPrices
    private var forecasts: ForecastSource?
    private var nextForecast: Timestamp?
    /// How grid and machine stand, where the policy asks.
    var conditions = Conditions.unknown
    let asksForGrid: Bool
    private let preempts: Bool
    private var submitted = 0
    /// When anything happened last but that time passed, and the last moment there was.
    var happened: Timestamp
    var looked: Timestamp
    private let gridEnd: Timestamp?
    var wake: Timestamp?
    var nextLook: Timestamp?
    /// What budgets have spent, and when the next that stops what runs will have.
    var book: BudgetBook
    var nextSpent: Timestamp?
    /// The last of it that the scheduler was told.
    var spentUntil: [String: Timestamp] = [:]
    /// How many jobs no period of their budget is enough for.
    var beyondBudgets = 0
    /// Jobs with GPUs that a rule caps, by their places in the trace.
    var cappedWithGPUs: Set<Int> = []

    /// No replay goes on beyond this after the first submission: a trace that does is a mistake.
    private static let longest = Duration.seconds(1000 * 31_557_600)
    /// Plans for one moment: what is suspended may make room for what is started, and that is all.
    private static let mostPlans = 4
    /// Wake-ups in a row in which nothing happens.
    private static let mostIdleWakes = 1_000_000

    init(_ trace: Trace, under policy: PolicySet, on machine: SimulatedMachine, options: Options) {
        self.trace = trace
        self.policy = policy
        self.machine = machine
        self.options = options
        scheduler = Scheduler(capacity: .zero, lookAhead: max(1, options.lookAhead))
        scheduler.adopt(policy: policy, machine: machine.limits)
        // The rest is known of each job.
        scheduler.adopt(figures: PowerTerms.Figures(idle: machine.idlePower, perCPU: 0, perGPU: 0))
        scheduler.share(Self.shares(policy.fairShare))
        preempts = policy.queues.contains { !$0.preempts.value.isEmpty }
        asksForGrid = policy.asksForGrid && (options.forecast != nil || policy.constantPrice != nil)
        intensity = GridPrices(intensity: options.forecast?.intensity)
        submitters = Submitters(trace)
        book = BudgetBook(policy.budgets, prices: options.prices, from: trace.jobs.first?.submit)
        forecasts = options.forecast.map { ForecastSource($0) }
        gridEnd = Self.gridEnd(options.forecast)
        happened = trace.jobs.first?.submit ?? Timestamp(microseconds: 0)
        looked = happened
        log = ReplayLog(jobs: trace.jobs.count, begin: trace.jobs.first?.submit ?? Timestamp(microseconds: 0))
    }

    /// - Parameters:
    ///   - trace: by submission, as its readers leave it.
    ///   - policy: in force from the first job to the last.
    /// - Returns: what became of each job, and when it computed.
    package static func run(
        _ trace: Trace, under policy: PolicySet, on machine: SimulatedMachine, options: Options = Options()
    ) -> ReplayLog {
        var replay = Replay(trace, under: policy, on: machine, options: options)
        replay.run()
        return replay.log
    }

    // MARK: - The loop

    private mutating func run() {
        let horizon = log.begin.advanced(by: Self.longest)
        var idle = 0
        nextForecast = forecasts == nil ? nil : log.begin
        // The first that is submitted is judged by it, too.
        look(at: log.begin)
        while let now = nextEvent {
            guard now <= horizon, idle < Self.mostIdleWakes else {
                log.notes.append(
                    "stopped at \(now) with \(scheduler.pendingCount) jobs waiting: "
                        + (now > horizon ? "a thousand years have passed" : "the plans come to nothing"))
                break
            }
            let (events, wasStill) = (log.events, isStill)
            foretell(at: now)
            var isIdle = happens(at: now)
            look(at: now)
            spend(at: now)
            for _ in 0..<Self.mostPlans {
                let plan = scheduler.plan(now: now)
                log.plans += 1
                act(on: plan, at: now)
                let hasRoom = makeRoom(for: plan, at: now)
                if !plan.starts.isEmpty || !plan.resumes.isEmpty || !plan.goOns.isEmpty { isIdle = false }
                guard hasRoom || needsAnotherLook(after: plan) else { break }
                isIdle = false
            }
            keepCaps(at: now)
            // By what computes now.
            nextSpent = book.nextSpent(after: now)
            idle = isIdle ? idle + 1 : 0
            looked = now
            if log.events != events || wasStill || gridEnd.map({ now < $0 }) ?? false { happened = now }
        }
        for job in active.values { log.runs[job.index].state = .running }
        addNotes()
    }

    private var nextEvent: Timestamp? {
        let submission = submitted < trace.jobs.count ? trace.jobs[submitted].submit : nil
        // While no job is there, news and wake-ups are for nobody.
        let isEmpty = scheduler.pendingCount == 0 && active.isEmpty
        let news = isStill ? [nextOnce, nextSpent] : [wake, nextForecast, nextLook, nextSpent]
        return ([submission, ends.first?.at] + (isEmpty ? [] : news)).compactMap { $0 }.min()
    }

    /// What a suspended job gave up can be given away, and of those that may be suspended again nobody knows yet when.
    private func needsAnotherLook(after plan: Plan) -> Bool {
        !plan.suspends.isEmpty || !plan.resumes.isEmpty || !plan.halts.isEmpty || !plan.goOns.isEmpty
            || preempts && plan.blocked != nil && !plan.starts.isEmpty
            || options.forecast != nil && plan.starts.contains { scheduler.active[$0]?.shift != nil }
    }

    private mutating func foretell(at now: Timestamp) {
        guard let due = nextForecast, due <= now, var source = forecasts else { return }
        scheduler.adopt(forecast: source.forecast(at: now), now: now)
        nextForecast = source.changes ? source.next(after: now) : nil
        forecasts = source
    }

    /// Tells the scheduler all that happens in one moment: ends first, so that what they free can be given away.
    /// - Returns: true when nothing did.
    private mutating func happens(at now: Timestamp) -> Bool {
        var isNothing = true
        while let event = ends.first, event.at <= now {
            _ = ends.removeFirst()
            guard let job = active[event.job], job.event == event.order else { continue }
            end(event.job, job, at: now)
            isNothing = false
        }
        while submitted < trace.jobs.count, trace.jobs[submitted].submit <= now {
            submit(submitted, at: now)
            submitted += 1
            isNothing = false
        }
        if !isNothing { log.end = now }
        return isNothing
    }

    private mutating func act(on plan: Plan, at now: Timestamp) {
        // A wake-up in the past would be one without end.
        wake = plan.wakeAt.map { max($0, now.advanced(by: .milliseconds(1))) }
        if options.recordsPromises, let blocked = plan.blocked, let time = plan.reservedFor {
            let job = Int32(clamping: blocked.number - 1)
            log.promises[job] = min(log.promises[job] ?? time, time)
        }
        for id in plan.suspends { suspend(id, at: now) }
        for id in plan.halts { suspend(id, byRule: true, at: now) }
        for id in plan.resumes { resume(id, at: now) }
        for id in plan.goOns { resume(id, byRule: true, at: now) }
        for id in plan.starts { start(id, at: now) }
    }
}
