import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Sandbox
import Scheduling
import ServiceLifecycle
import Units

/// The one place where jobs change state: takes submissions, starts what the scheduler says, and sees jobs to their end.
///
/// The ledger is written first, memory follows: what a client was told is on disk.
actor JobController: Service {
    enum Work: Sendable {
        /// Something changed: ask the scheduler.
        case plan
        /// Wait for this job's supervisor to end.
        case watch(JobID, Started)
        /// Start this job: resources are kept for it.
        case start(StoredJob)
        /// Its supervisor is gone: read what it left.
        case ended(JobID)
        /// Write down how it ended.
        case finish(JobID, Outcome, ArrayPlace?)
        /// Write its process down.
        case note(JobID, Started)
        /// Its attempt came to nothing: let it wait again.
        case queueAgain(JobID, Ledger.Requeue)
        /// See what has become of a job that others wait for.
        case settle(Dependency)
        /// Let it go on: it may stand still no longer.
        case resume(JobID)
        /// Let it stand still, or go on, as the plan says.
        case shift(JobID, isSuspended: Bool)
        /// The policy lets it stand still, or go on.
        case obey(JobID, WaitReason?)
        /// Hold the machine to its power cap, by this reading.
        case keepCap(Power, Uptime)
        /// Find out whether it runs.
        case lookAgain(StoredJob)
        /// Say that the loop turns.
        case answer(@Sendable () -> Void)
    }

    let settings: Settings
    let ledger: Ledger
    let hub: EventHub
    let meter: EnergyMeter
    /// The wait between two rounds of telling followers, ended early when a job starts.
    nonisolated let progressPause = Pause()
    nonisolated let notifier: Notifier
    /// Where users' paths are followed.
    nonisolated let userQueues = UserQueues()
    let launcher: SandboxLauncher
    let state: StateDirectory
    let machine: MachineCapacity
    let layout: MachineLayout
    let bootID: String
    let logger: Logger
    var policy: PolicySet
    var scheduler: Scheduler
    /// Which CPUs and GPUs active jobs hold; see ``allot(_:_:)``.
    var placements: [JobID: Placement] = [:]
    var live: [JobID: LiveJob] = [:]
    /// The jobs that wait for this of another, and what is to be looked at again.
    var dependents: [Dependency: Set<JobID>] = [:]
    var toSettle: Set<Dependency> = []
    /// How many jobs of a user are being written down: they count as waiting already.
    var submitting: [UInt32: Int] = [:]
    /// Likewise of a project.
    var submittingOf: [String: Int] = [:]
    /// Jobs that are just being held or released, and who waits for that.
    var holding: Set<JobID> = []
    var waitingToHold: [JobID: [CheckedContinuation<Void, Never>]] = [:]
    /// When jobs that their owners suspended go on all the same.
    var suspensionEnds: [JobID: Timestamp] = [:]
    /// How often a job could not be started for a cause that passes by itself.
    var failedStarts: [JobID: Int] = [:]

    /// Where the grid's figures come from; nil where the table alone does.
    var grid: GridSignals?
    /// The last of its news that jobs are planned by.
    var forecastNews: GridSituation.News?
    /// Another intensity is being put in force.
    var pricing: Task<Bool, Never>?
    /// Jobs that are being suspended or resumed by the plan.
    var shifting: Set<JobID> = []

    /// How grid and machine stand, for rules that ask.
    var conditions = Conditions.unknown
    var budgetStates: [BudgetState] = []
    var budgetLooks = BudgetLooks()
    /// See ``submitter(uid:gid:)``.
    var submitters: [UInt32: KnownSubmitter] = [:]
    /// When the machine's power was looked at, for rules that ask.
    var powerAt: Timestamp?
    /// When the scheduler was told what the machine draws idle.
    var figuresAt: Timestamp?
    /// What is done about the power cap; see `JobController+PowerCap.swift`.
    var capKeeper = CapKeeper()
    let limits: PowerLimits
    /// The CPUs that jobs compute with while the machine draws too much, and those whose CPUs cannot be taken.
    var cpusByCap: [JobID: Int] = [:]
    var cannotCap: Set<JobID> = []
    /// What the hardware holds jobs to, what was chosen for them by their history or not at their start, and what was tried in vain.
    var powerHolds: [JobID: PowerHold] = [:]
    var chosenBounds: [JobID: PowerBound?] = [:]
    var failedBounds: [JobID: PowerBound] = [:]
    var isKeepingCap = false
    /// Limits of the hardware that cannot be set after all.
    var deadLimits: Set<String> = []
    /// What `cap` rules hold jobs to now.
    var caps: [JobID: Int] = [:]
    /// See ``chargeShare(_:_:)``.
    var shareCharged: [JobID: Charged] = [:]
    let startedAt = Timestamp.now()
    /// See ``noticeClockChange()``.
    var lastClockOffset = JobController.clockOffset()
    /// While policy files are read and written down.
    var isReloading = false

    private let work: AsyncStream<Work>
    private let feed: AsyncStream<Work>.Continuation
    private var isPlanQueued = false
    private var progressRounds: Int64 = 0
    private(set) var nextWake: Timestamp?
    private var waker: Task<Void, Never>?
    /// How many wait to wake us: the one for `nextWake`, and those on their way out.
    private(set) var sleepers = 0
    /// Who reads a job's event file now.
    var takers: [JobID: Task<TakenEvents, Never>] = [:]

    init(
        settings: Settings, ledger: Ledger, hub: EventHub, meter: EnergyMeter, launcher: SandboxLauncher,
        state: StateDirectory, machine: MachineCapacity, layout: MachineLayout, bootID: String, policy: PolicySet,
        logger: Logger
    ) {
        self.settings = settings
        self.ledger = ledger
        self.hub = hub
        self.meter = meter
        self.launcher = launcher
        self.state = state
        self.machine = machine
        self.layout = layout
        self.bootID = bootID
        self.policy = policy
        self.logger = logger
        notifier = Notifier(logger: logger)
        limits = PowerLimits(
            roots: settings.roots, path: state.path + "/power-limits.json", bootID: bootID, logger: logger)
        scheduler = Scheduler(policy: policy, machine: machine)
        (work, feed) = AsyncStream.makeStream(of: Work.self)
    }

    func directory(_ id: JobID) -> JobDirectory { JobDirectory(jobs: state.jobs, id: id) }

    // MARK: - The loop

    /// Starts and watches jobs until the daemon stops. Jobs that run then go on without us.
    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await item in work {
                    switch item {
                    case .plan:
                        isPlanQueued = false
                        await startWhatFits()
                    case .watch(let id, let process):
                        group.addTask {
                            await self.wait(for: id, process)
                        }
                    case .start(let stored): group.addTask { await self.start(stored) }
                    case .ended(let id): group.addTask { await self.ended(id) }
                    case .finish(let id, let outcome, let array):
                        group.addTask { await self.finish(id, outcome, in: array) }
                    case .note(let id, let process): group.addTask { await self.noteProcess(id, process) }
                    case .queueAgain(let id, let requeue): group.addTask { await self.queueAgain(id, requeue) }
                    case .settle(let dependency): group.addTask { await self.settle(dependency) }
                    case .resume(let id): group.addTask { await self.resumeOverdue(id) }
                    case .shift(let id, let isSuspended):
                        group.addTask { await self.shift(id, isSuspended: isSuspended) }
                    case .obey(let id, let reason): group.addTask { await self.obey(id, reason) }
                    case .keepCap(let drawn, let at): group.addTask { await self.keepCap(drawn, at: at) }
                    case .lookAgain(let stored): group.addTask { await self.lookAgain(for: stored) }
                    case .answer(let answer): answer()
                    }
                }
                group.cancelAll()
            }
            waker?.cancel()
        } onGracefulShutdown: {
            self.feed.finish()
        }
    }

    private func wait(for id: JobID, _ process: Started) async {
        var isReported = false
        // Only an end that was seen counts: of a process that cannot be watched now, and of one that was taken for ended and
        // lives, we look again.
        repeat {
            do {
                try await launcher.waitForExit(process)
            } catch {
                if !isReported { logger.error("\(error)", metadata: ["job": "\(id)"]) }
                isReported = true
            }
            guard launcher.isAlive(process) else { break }
            try? await Task.sleep(for: .seconds(1))
        } while !Task.isCancelled
        if !Task.isCancelled { await ended(id) }
    }

    /// Asks for a look at the queue, once however often it is asked before the look.
    func requestPlan() {
        guard !isPlanQueued else { return }
        isPlanQueued = true
        feed.yield(.plan)
    }

    func watch(_ id: JobID, _ process: Started) {
        feed.yield(.watch(id, process))
        progressPause.end()
    }

    func seeToEnd(_ id: JobID) { feed.yield(.ended(id)) }

    /// - Parameter array: of a job that is not live.
    func finishLater(_ id: JobID, _ outcome: Outcome, in array: ArrayPlace? = nil) {
        feed.yield(.finish(id, outcome, array))
    }

    func noteLater(_ id: JobID, _ process: Started) { feed.yield(.note(id, process)) }

    func queueAgainLater(_ id: JobID, _ requeue: Ledger.Requeue) { feed.yield(.queueAgain(id, requeue)) }

    func startLater(_ stored: StoredJob) { feed.yield(.start(stored)) }

    func settleSoon(_ dependency: Dependency) { feed.yield(.settle(dependency)) }

    func resumeLater(_ id: JobID) { feed.yield(.resume(id)) }

    func shiftLater(_ id: JobID, isSuspended: Bool) { feed.yield(.shift(id, isSuspended: isSuspended)) }
    func obeyLater(_ id: JobID, _ reason: WaitReason?) { feed.yield(.obey(id, reason)) }

    /// Whoever reads the meters does not wait for what follows.
    nonisolated func lookAtCap(_ drawn: Power) { feed.yield(.keepCap(drawn, .now())) }

    func lookAgainLater(_ stored: StoredJob) { feed.yield(.lookAgain(stored)) }

    /// Returns when the loop has come to what is asked now; at once where it has ended.
    func turn() async {
        await withCheckedContinuation { continuation in
            if case .terminated = feed.yield(.answer { continuation.resume() }) { continuation.resume() }
        }
    }

    /// Looks at the queue again at `time`, or earlier if that was asked before.
    func wakeUp(at time: Timestamp) {
        guard nextWake.map({ time < $0 }) ?? true else { return }
        nextWake = time
        waker?.cancel()
        sleepers += 1
        waker = Task {
            defer { sleepers -= 1 }
            let delay = time.since(.now())
            do {
                if delay > .zero { try await Task.sleep(for: delay) }
            } catch {
                return  // An earlier time was asked for, or the daemon stops.
            }
            if nextWake == time { nextWake = nil }
            requestPlan()
        }
    }

    // MARK: - Events

    /// Tells who follows the job how it stands. Whoever comes later asks the ledger.
    func publishState(_ id: JobID) async {
        guard hub.isFollowed(id) else { return }
        do {
            guard let job = try await ledger.job(id) else { return }
            hub.publish(id, JobFollower.stateEvent(job.record))
        } catch {
            logger.error("\(error)")
        }
    }

    /// Whether there is a job whose progress could be told.
    var hasProcesses: Bool { !scheduler.active.isEmpty }

    /// Passes on what jobs reported about themselves and what they draw.
    func reportProgress() async {
        progressRounds += 1
        if progressRounds % 60 == 0 {
            await chargeShares()
        }
        await lookAtBudgets()
        let isMany = scheduler.active.count > 100
        for id in scheduler.active.keys.sorted() where live[id]?.process != nil {
            let isFollowed = hub.isFollowed(id)
            // Looking into a thousand files a second costs more than metering. What nobody waits for is looked at in turn.
            if isMany, !isFollowed, (id.number &+ progressRounds) % 5 != 0 { continue }
            await takeEvents(id)
            guard isFollowed, let totals = await meter.totals(id) else { continue }
            var event = JobEvent(type: .power, at: .now())
            event.powerW = totals.power
            event.energyJ = totals.energy.joules
            event.carbonG = totals.carbon.grams
            hub.publish(id, event)
        }
    }
}
