import LinuxSystem
import Metering
import Units

/// Our side of the benchmark: at each reading it does by the daemon's parts what the daemon's own loop does, which is not
/// under test here, and keeps what each account was given.
struct AttributionPipeline {
    /// What one account was given in sum, in µJ.
    struct Given {
        var active: Int64 = 0
        var reservedIdle: Int64 = 0
        var low: Int64 = 0
        var high: Int64 = 0

        var energy: Int64 { active + reservedIdle }
    }

    struct Tracked {
        var id: Int64
        var cgroup: Cgroup
        var reservedCPUs: Double
        var lastCPU = 0.0
    }

    /// By CPU time alone, and with the weights that were learned.
    enum Method: CaseIterable { case plain, learned }

    private(set) var given: [Method: [Account: Given]] = [.plain: [:], .learned: [:]]
    /// What the rules of others give each account, in joules, while any job ran.
    private(set) var ruled: [SimpleRule: [Account: Double]] = [:]
    /// All that was metered, and what of it while any job ran, in µJ.
    private(set) var metered: Int64 = 0
    private(set) var meteredWithJobs: Int64 = 0
    private(set) var gaps = 0

    private let roots: SystemRoots
    private let machine: MachineSize
    private let thermalDesignWatts: Double
    private var meters: MeterSet
    private var load: LoadMeter
    private var remainder = SystemRemainder()
    private var baseline = IdleBaseline()
    private var weights = PowerWeights()
    private var ownCPU = 0.0
    private var lastRead = 0.0
    private var tracked: [Tracked] = []

    init(roots: SystemRoots, machine: MachineSize, thermalDesignWatts: Double) {
        self.roots = roots
        self.machine = machine
        self.thermalDesignWatts = thermalDesignWatts
        meters = MeterSet(discovering: roots)
        load = LoadMeter(roots: roots)
    }

    mutating func begin(_ job: Tracked) { tracked.append(job) }

    mutating func end(_ id: Int64) { tracked.removeAll { $0.id == id } }

    /// Reads all counters and shares out what was drawn since the reading before.
    mutating func read(at seconds: Double) throws {
        defer { lastRead = seconds }
        let machineLoad = try load.sample()
        let usages = try usages(load: machineLoad)
        let samples = meters.sample(
            at: Timestamp(seconds: 1_700_000_000 + seconds), monotonicNanoseconds: Int64((seconds * 1e9).rounded()),
            load: machineLoad)
        for sample in samples {
            guard let energy = sample.energy?.energy else {
                gaps += 1
                continue
            }
            baseline.observe(sample, jobsRan: !tracked.isEmpty, load: machineLoad)
            metered += energy.microjoules
            let idle = meters.idlePower(of: sample.domain, baseline: baseline)
            let learned = weights.learn(sample, idlePower: idle, usages: usages, machine: machine)
            for method in Method.allCases {
                let shares = attribute(
                    sample, idlePower: idle, usages: usages, machine: machine,
                    idleDoubt: meters.idleDoubt(of: sample.domain), weights: method == .learned ? learned : [:])
                add(shares, to: method)
            }
            if !tracked.isEmpty {
                meteredWithJobs += energy.microjoules
                apply(energy.joules, usages, load: machineLoad, seconds: seconds - lastRead)
            }
        }
    }

    private mutating func usages(load: MachineLoad?) throws -> [Usage] {
        var usages: [Usage] = []
        for index in tracked.indices {
            let now = Double(try tracked[index].cgroup.cpuMicroseconds()) / 1e6
            usages.append(
                Usage(
                    account: .job(tracked[index].id), cpuSeconds: max(now - tracked[index].lastCPU, 0),
                    reservedCPUs: tracked[index].reservedCPUs))
            tracked[index].lastCPU = max(now, tracked[index].lastCPU)
        }
        let own = try OwnCPUTime.seconds(roots: roots)
        usages.append(Usage(account: .daemon, cpuSeconds: max(own - ownCPU, 0)))
        ownCPU = max(own, ownCPU)
        return remainder.complete(usages, load: load, machine: machine)
    }

    private mutating func add(_ shares: [Share], to method: Method) {
        for share in shares {
            var sum = given[method]?[share.account] ?? Given()
            sum.active += share.active.microjoules
            sum.reservedIdle += share.reservedIdle.microjoules
            sum.low += share.low.microjoules
            sum.high += share.high.microjoules
            given[method]?[share.account] = sum
        }
    }

    private mutating func apply(_ joules: Double, _ usages: [Usage], load: MachineLoad?, seconds: Double) {
        let interval = SimpleRule.Interval(
            joules: joules, seconds: seconds, machineCPUSeconds: load?.busySeconds ?? 0, cpus: machine.cpus,
            thermalDesignWatts: thermalDesignWatts)
        for rule in SimpleRule.allCases {
            for usage in usages {
                var isJob = false
                if case .job = usage.account { isJob = true }
                ruled[rule, default: [:]][usage.account, default: 0] += rule.joules(
                    cpuSeconds: usage.cpuSeconds, isJob: isJob, in: interval)
            }
        }
    }
}
