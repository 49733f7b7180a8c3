import JobAPI
package import Policy
import Scheduling
import Units

/// Runs a trace of jobs through the daemon's own scheduler under a policy, event by event.
///
/// The scheduler is driven as the daemon drives it: jobs pass admission and are added, a plan is asked for once per moment in
/// which anything happened and whenever the last plan asked to be woken, what it starts is started, and ends are told. It never
/// learns how long a job really runs, only its time limit. The work per event does not grow with the jobs that wait.
package struct Replay: Sendable {
    /// What the scheduler takes for a job's time limit.
    package enum Limits: String, Sendable, CaseIterable {
        /// What the trace says; where it says nothing, the queue's longest time.
        case stated
        /// The run time itself, as if every owner knew it: the best case for backfilling.
        case exact
    }

    package struct Options: Hashable, Sendable {
        package var limits: Limits
        /// How many kinds of jobs a plan looks at behind the first that waits; 1 is first come, first served.
        package var lookAhead: Int
        /// Whether ``ReplayLog/promises`` is kept.
        package var recordsPromises: Bool

        package init(
            limits: Limits = .stated, lookAhead: Int = Scheduler.lookAhead, recordsPromises: Bool = false
        ) {
            self.limits = limits
            self.lookAhead = lookAhead
            self.recordsPromises = recordsPromises
        }
    }

    /// A job that was started and has not ended.
    struct Active {
        var index: Int
        /// When it last began to compute.
        var since: Timestamp
        /// What it has to compute from then on, and what its limit leaves it, in microseconds.
        var work: Int64
        var allowance: Int64?
        /// The event that ends it; those of its earlier segments mean nothing.
        var event: UInt64
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
    private var submitted = 0
    private var wake: Timestamp?

    /// No replay goes on beyond this after the first submission: a trace that does is a mistake.
    private static let longest = Duration.seconds(1000 * 31_557_600)
    /// Wake-ups in a row in which nothing happens.
    private static let mostIdleWakes = 1_000_000

    init(_ trace: Trace, under policy: PolicySet, on machine: SimulatedMachine, options: Options) {
        self.trace = trace
        self.policy = policy
        self.machine = machine
        self.options = options
        scheduler = Scheduler(capacity: .zero, lookAhead: max(1, options.lookAhead))
        scheduler.adopt(policy: policy, machine: machine.limits)
        submitters = Submitters(trace)
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
        while let now = nextEvent {
            guard now <= horizon, idle < Self.mostIdleWakes else {
                log.notes.append(
                    "stopped at \(now) with \(scheduler.pendingCount) jobs waiting: "
                        + (now > horizon ? "a thousand years have passed" : "the plans come to nothing"))
                break
            }
            let isWakeOnly = happens(at: now)
            let changed = act(on: scheduler.plan(now: now), at: now)
            log.plans += 1
            idle = isWakeOnly && !changed ? idle + 1 : 0
        }
        for job in active.values { log.runs[job.index].state = .running }
    }

    private var nextEvent: Timestamp? {
        let submission = submitted < trace.jobs.count ? trace.jobs[submitted].submit : nil
        let wake = scheduler.pendingCount > 0 || !active.isEmpty ? wake : nil
        return [submission, ends.first?.at, wake].compactMap { $0 }.min()
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

    /// - Returns: whether it changed anything.
    private mutating func act(on plan: Plan, at now: Timestamp) -> Bool {
        // A wake-up in the past would be one without end.
        wake = plan.wakeAt.map { max($0, now.advanced(by: .milliseconds(1))) }
        if options.recordsPromises, let blocked = plan.blocked, let time = plan.reservedFor {
            let job = Int32(clamping: blocked.number - 1)
            log.promises[job] = min(log.promises[job] ?? time, time)
        }
        for id in plan.starts { start(id, at: now) }
        return !plan.starts.isEmpty
    }

    // MARK: - Jobs

    private mutating func start(_ id: JobID, at now: Timestamp) {
        guard let pending = scheduler.pendingJob(id), let starting = scheduler.starting(id, at: now) else { return }
        let index = Int(id.number - 1)
        scheduler.started(starting)
        log.runs[index].state = .running
        log.runs[index].started = now
        compute(
            id,
            Active(
                index: index, since: now, work: Self.microseconds(trace.jobs[index].runTime),
                allowance: pending.timeLimit.map(Self.microseconds), event: 0), at: now)
    }

    /// It computes from now on, until its work is done or its limit reached.
    private mutating func compute(_ id: JobID, _ job: Active, at now: Timestamp) {
        var job = job
        job.since = now
        let length = min(job.work, job.allowance ?? job.work)
        job.event = ends.add(id, at: Timestamp(microseconds: now.microseconds + length))
        active[id] = job
        log.events += 1
    }

    private mutating func end(_ id: JobID, _ job: Active, at now: Timestamp) {
        scheduler.ended(id)
        active[id] = nil
        log.segments.append(ReplayLog.Segment(job: Int32(job.index), from: job.since, to: now))
        log.runs[job.index].ended = now
        log.runs[job.index].state = (job.allowance ?? job.work) < job.work ? .timedOut : .finished
        log.events += 1
    }

    /// As the scheduler counts time limits, so that a limit that equals the run time does not cut it short.
    static func microseconds(_ seconds: Double) -> Int64 { Int64(min(max(0, seconds), 9e9) * 1e6) }
}
