import Carbon
import Glibc
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Metering
import Sandbox
import Scheduling
import Units

/// Reads the meters, shares each reading out to the jobs that ran, prices it and books it.
///
/// Reads at a steady pace and, besides, at the exact start and end of every job, so that a job shorter than the pace is
/// not lost and no job is billed for another's time.
actor EnergyMeter {
    /// What a job's energy is shared by.
    struct Tracked: Sendable {
        var id: JobID
        var attempt: Int
        var reservedCPUs: Double
        var reservedMemoryBytes: Int64
        var gpus = GPUHold()
        /// Its supervisor and cgroup, once it has processes.
        var process: Started?
        /// CPU seconds its processes have used since they started; nil when it cannot be told.
        var cpuSeconds: @Sendable (ProcessSnapshot) -> Double?
        /// The reading at the end of the last interval; what was used before it was counted in is not billed.
        var lastCPU = 0.0
        var totals = JobTotals()
    }

    /// What one attempt drew since this daemon tracks it.
    struct JobTotals: Sendable, Hashable {
        var power = 0.0
        var energy = Energy.zero
        var carbon = CarbonMass.zero

        mutating func add(_ energy: Energy, _ carbon: CarbonMass, seconds: Double) {
            self.energy += energy
            self.carbon += carbon
            if seconds > 0 { power += energy.joules / seconds }
        }
    }

    /// The loop's wait between readings, ended early when the first job starts.
    nonisolated let pause = Pause()

    private(set) var meters: MeterSet
    private var load: LoadMeter
    private var tenants = GPUTenants()
    /// What was seen on each card at the last reading besides what jobs declared, by domain.
    private var occupancy: [String: CardOccupancy] = [:]
    private let owners: ProcessOwners
    private let roots: SystemRoots
    private let machine: MachineSize
    private(set) var site: SiteCarbon
    private(set) var books: Books
    private let logger: Logger

    private(set) var tracked: [JobID: Tracked] = [:]
    private(set) var baseline: IdleBaseline
    private var ownCPU = 0.0
    private(set) var lastPower: [String: (power: Power, low: Power, high: Power)] = [:]
    /// Booked in memory, not yet on disk: kept until the ledger takes it.
    var pending: [MeteredInterval] = []
    var lastFlush = Uptime.now()
    var lastClose = Uptime.now()
    var lastKept = Uptime.now()
    /// The baseline as it is in the ledger.
    var keptBaseline: IdleBaseline
    var wasBusySinceClose = false
    /// Closing left off with more to do.
    var isPartlyClosed = false
    /// The flush and the closing under way.
    var flushing: Task<Void, Never>?
    var closing: Task<Void, Never>?
    private(set) var lastRead = Timestamp(microseconds: 0)
    private(set) var lastReadBoot: ReadingTime.Boot
    /// What each share's carbon and water are short of whole units, by domain and account.
    private var roundings: [String: [Account: CostRounding]] = [:]
    /// What is learned of how much a CPU second of each account draws.
    private var weights = PowerWeights()
    private var remainder = SystemRemainder()
    /// When this daemon read the meters first.
    private(set) var firstRead: ReadingTime?
    private var troubles: Set<Trouble> = []
    /// Whether somebody looks at each reading for the power cap.
    private var isCapped = false

    init(
        roots: SystemRoots, machine: MachineSize, site: SiteCarbon, books: Books, baseline: IdleBaseline,
        calibration: Calibration?, logger: Logger
    ) {
        self.roots = roots
        self.machine = machine
        self.site = site
        self.books = books
        self.baseline = baseline
        keptBaseline = baseline
        lastReadBoot = ReadingTime.Boot(id: books.bootID, uptime: .now())
        self.logger = logger
        meters = MeterSet(discovering: roots, calibration: calibration)
        owners = ProcessOwners(roots: roots, ownPID: getpid())
        load = LoadMeter(roots: roots)
    }

    /// Reads the meters up to now under what was in force, and goes on under something else.
    func adopt(_ site: SiteCarbon, policyHash: String, retention: Retention) {
        read()
        self.site = site
        books.context.policyHash = policyHash
        books.retention = retention
    }

    /// Reads the meters up to now under what was in force, and goes on under another intensity.
    func adopt(_ site: SiteCarbon) {
        read()
        self.site = site
    }

    // MARK: - Jobs

    /// Reads the meters up to now, then counts the jobs in. Call before a job's first process exists; for jobs that run when
    /// the daemon starts this is its first reading, so that nothing is metered of which they have no share.
    func begin(_ jobs: [Tracked]) {
        guard !jobs.isEmpty || firstRead == nil else { return }
        read()
        guard !jobs.isEmpty else { return }
        wasBusySinceClose = true
        if tracked.isEmpty { pause.end() }
        let snapshot = ProcessSnapshot()
        for var job in jobs {
            job.lastCPU = job.cpuSeconds(snapshot) ?? 0
            tracked[job.id] = job
        }
    }

    /// Tells what the job's processes are and how to read their CPU time, once there are some.
    func attach(_ id: JobID, _ process: Started, cpuSeconds: @escaping @Sendable (ProcessSnapshot) -> Double?) {
        tracked[id]?.process = process
        tracked[id]?.cpuSeconds = cpuSeconds
    }

    /// Reads the meters up to now, then counts with so many CPUs kept for the job: suspended by the plan it keeps none.
    func reserve(_ id: JobID, cpus: Int) {
        guard tracked[id] != nil else { return }
        read()
        tracked[id]?.reservedCPUs = Double(cpus)
    }

    /// Reads the meters up to now, then counts the job out. What it drew is on disk after the next flush.
    /// - Parameter finalCPU: the CPU seconds of all its processes as the kernel counted them at the end, when known.
    /// - Returns: what it drew in all; nil for one that was not counted.
    @discardableResult
    func end(_ id: JobID, finalCPU: Double?) -> JobTotals? {
        if let finalCPU, let job = tracked[id], job.cpuSeconds(ProcessSnapshot()) == nil {
            tracked[id]?.cpuSeconds = { _ in finalCPU }
        }
        read()
        let totals = tracked.removeValue(forKey: id)?.totals
        for domain in roundings.keys { roundings[domain]?[.job(id.number)] = nil }
        return totals
    }

    func totals(_ id: JobID) -> JobTotals? { tracked[id]?.totals }

    // MARK: - Reading

    /// One step of the steady pace. What is to be written is not waited for: while the ledger takes nothing the meters are read
    /// all the same.
    /// - Returns: what the machine draws, where a cap asks for it.
    @discardableResult
    func tick() -> Power? {
        read()
        if isFlushDue, flushing == nil { startFlush() }
        if closing == nil, isCloseDue || isKeepingDue { startClosing() }
        return isCapped ? measuredPower() : nil
    }

    func watchCap(_ isCapped: Bool) { self.isCapped = isCapped }

    /// Reads the meters up to now and books everything.
    func bookUp() async {
        read()
        await flush()
    }

    /// Reads once more if the last reading is old; not at every request, for it is no client's business how often we read.
    func refresh() {
        if Uptime.now().since(lastReadBoot.uptime) >= .seconds(1) { read() }
    }

    /// What is on each card now besides what jobs declared, by domain; of those of which nobody ever told nothing.
    func occupancies() -> [String: CardOccupancy] {
        refresh()
        return occupancy
    }

    var isTracking: Bool { !tracked.isEmpty }

    func read() {
        let now = Timestamp.now()
        lastRead = now
        lastReadBoot.uptime = .now()
        if firstRead == nil { firstRead = ReadingTime(at: now, boot: lastReadBoot) }
        let machineLoad: MachineLoad?
        do {
            machineLoad = try load.sample()
            recovered(from: .load)
        } catch {
            machineLoad = nil
            report("cannot read the machine's CPU time: \(error)", .load)
        }
        let usages = usages(load: machineLoad)
        let samples = meters.sample(
            at: now, monotonicNanoseconds: SystemClock.monotonicNanoseconds(), load: machineLoad)
        let shared = tenants.adding(samples, to: usages) { pid in owners.account(of: pid, among: tracked.values) }
        for sample in samples where sample.kind == .gpu {
            // Of a driver that does not answer now the last word holds.
            guard let seen = CardOccupancy(sample, among: tracked.values, owners) else { continue }
            occupancy[sample.domain] = seen
        }
        for id in tracked.keys { tracked[id]?.totals.power = 0 }
        for sample in samples {
            if let power = sample.power, let energy = sample.energy {
                lastPower[sample.domain] = (
                    power, Power(watts: energy.low.joules / sample.seconds),
                    Power(watts: energy.high.joules / sample.seconds)
                )
                baseline.observe(sample, jobsRan: !tracked.isEmpty, load: machineLoad)
            } else {
                lastPower[sample.domain] = nil
            }
            pending.append(book(sample, shared))
        }
        // Where the ledger takes nothing for long, keep a line a minute and not a line a second.
        if pending.count > 512, flushing == nil { pending = MeteredInterval.mergedByMinute(pending) }
    }

    /// CPU time of every account since the last reading; what is neither a job's nor ours is the system's.
    private func usages(load: MachineLoad?) -> [Usage] {
        var usages: [Usage] = []
        let snapshot = ProcessSnapshot()
        for id in tracked.keys.sorted() {
            guard var job = tracked[id] else { continue }
            let now = job.cpuSeconds(snapshot) ?? job.lastCPU
            let used = max(now - job.lastCPU, 0)
            job.lastCPU = max(now, job.lastCPU)
            tracked[id] = job
            usages.append(
                Usage(
                    account: .job(id.number), cpuSeconds: used, reservedCPUs: job.reservedCPUs,
                    reservedMemoryBytes: job.reservedMemoryBytes, gpus: job.ownedGPUs))
        }
        let own = (try? OwnCPUTime.seconds(roots: roots)) ?? ownCPU
        usages.append(Usage(account: .daemon, cpuSeconds: max(own - ownCPU, 0)))
        ownCPU = max(own, ownCPU)
        return remainder.complete(usages, load: load, machine: machine)
    }

    /// Shares one sample out and prices each share with the intensity in force.
    private func book(_ sample: DomainSample, _ usages: [Usage]) -> MeteredInterval {
        let tier = Tier(rawValue: sample.tier.rawValue) ?? .gap
        let idle = meters.idlePower(of: sample.domain, baseline: baseline)
        let learned = weights.learn(sample, idlePower: idle, usages: usages, machine: machine)
        let shares = attribute(
            sample, idlePower: idle, usages: usages, machine: machine,
            idleDoubt: meters.idleDoubt(of: sample.domain), weights: learned)
        let isGap = sample.gap != nil
        let spans = shares.map { share in
            let exact = site.price(share.energy, active: share.active, low: share.low, high: share.high)
            let cost = roundings[sample.domain, default: [:]][share.account, default: .init()].whole(exact)
            let span = SpanDelta(share, account: account(share.account), cost: cost, tier: tier)
            if case .job(let number) = share.account { count(JobID(number), span, seconds: sample.seconds) }
            return span
        }
        let metered = sample.energy ?? EnergyRange(.zero)
        return MeteredInterval(
            domain: sample.domain, kind: sample.kind.rawValue, source: sample.source, start: sample.start,
            end: sample.end, metered: metered.energy, low: metered.low, high: metered.high, isGap: isGap, tier: tier,
            spans: spans)
    }

    private func count(_ id: JobID, _ span: SpanDelta, seconds: Double) {
        let energy = span.active + span.reservedIdle
        tracked[id]?.totals.add(energy, span.carbon, seconds: seconds)
    }

    private func account(_ account: Account) -> SpanAccount {
        switch account {
        case .job(let number): .job(JobID(number), attempt: tracked[JobID(number)]?.attempt ?? 0)
        case .system: .system
        case .daemon: .daemon
        case .idle: .idle
        case .gap: .gap
        }
    }

    // MARK: - Trouble

    enum Trouble: Hashable { case load, ledger, closing, pricing }

    /// Said once until it is over, not once a second.
    func report(_ message: String, _ trouble: Trouble = .ledger) {
        if troubles.insert(trouble).inserted { logger.error("\(message)") }
    }

    func recovered(from trouble: Trouble) {
        guard troubles.remove(trouble) != nil else { return }
        switch trouble {
        case .load: logger.notice("the machine's CPU time can be read again")
        case .ledger: logger.notice("the ledger takes readings again")
        case .closing: logger.notice("the ledger can be closed again")
        case .pricing: logger.notice("the grid's intensity and price are written down again")
        }
    }
}
