import TestSupport

/// A machine whose every joule has a known cause: integrates each job's power, and the counters a kernel would show, in
/// virtual time. `Benchmarks/README.md` states the model.
struct SyntheticMachine {
    /// What was drawn and used since the start of the machine.
    struct Totals {
        var joules = 0.0
        var cpuSeconds = 0.0
    }

    let hardware: SyntheticHardware
    private(set) var jobs: [SyntheticJob]
    private(set) var seconds = 0.0

    /// The active part of each job, by its index.
    private(set) var active: [Totals]
    /// Each job's part of the idle energy by what it reserved while it ran, in joules.
    private(set) var reservedIdle: [Double]
    private(set) var system = Totals()
    private(set) var daemon = Totals()
    private(set) var joules = 0.0
    /// Power of the last step, in watts; for the counter's last renewal.
    private(set) var watts = 0.0
    /// Busy cores of each job in the last step.
    private(set) var busyCores: [Double]

    private var random: Seeded
    private var idleWander: Wander
    private var heatWander: Wander
    private var systemWander: Wander
    private let systemWatts: Double
    private let daemonWatts: Double

    /// Quiet time before the first job, in seconds.
    static let quiet = 120.0
    private static let longestStep = 0.1
    private static let daemonCores = 0.001

    init(seed: UInt64, spread: SyntheticSpread) {
        var random = Seeded(seed)
        hardware = SyntheticHardware(limit: spread.limit, using: &random)
        jobs = Self.schedule(on: hardware, spread: spread, using: &random)
        active = jobs.map { _ in Totals() }
        reservedIdle = jobs.map { _ in 0 }
        busyCores = jobs.map { _ in 0 }
        idleWander = Wander(deviation: 0.01, seconds: 300, using: &random)
        heatWander = Wander(deviation: 0.01, seconds: 60, using: &random)
        systemWander = Wander(deviation: 0.02, seconds: 20, using: &random)
        systemWatts = hardware.limited(hardware.wattsPerCore * random.logNormal(spread.jobs))
        daemonWatts = hardware.limited(hardware.wattsPerCore * random.logNormal(spread.jobs))
        self.random = random
    }

    /// 2 to 8 jobs that start at random, each as soon as there are CPUs for it.
    private static func schedule(on hardware: SyntheticHardware, spread: SyntheticSpread, using random: inout Seeded)
        -> [SyntheticJob]
    {
        let count = Int.random(in: 2...8, using: &random)
        let starts = (0..<count).map { _ in
            (random.uniform(quiet...quiet + 60 * Double(count)) * 1e6).rounded() / 1e6
        }
        var jobs: [SyntheticJob] = []
        for (index, start) in starts.sorted().enumerated() {
            var job = SyntheticJob(id: Int64(index + 1), start: start, on: hardware, spread: spread, using: &random)
            func reserved(at time: Double) -> Int {
                jobs.filter { $0.start <= time && time < $0.end }.reduce(0) { $0 + $1.reservedCPUs }
            }
            // Between starts nothing new is taken, so that checking at the start is enough when jobs come in order.
            let earliest = max(start, jobs.last?.start ?? 0)
            let moments = [earliest] + jobs.map(\.end).filter { $0 > earliest }.sorted()
            job.start = moments.first { reserved(at: $0) + job.reservedCPUs <= hardware.cpus } ?? earliest
            jobs.append(job)
        }
        return jobs
    }

    var end: Double { (jobs.map(\.end).max() ?? 0) + 1 }

    /// All CPU time that was spent, in seconds.
    var cpuSeconds: Double { system.cpuSeconds + daemon.cpuSeconds + active.reduce(0) { $0 + $1.cpuSeconds } }

    mutating func advance(to target: Double) {
        while seconds < target {
            var step = min(Self.longestStep, target - seconds)
            let phases = jobs.map { $0.phase(at: seconds) }
            for case let phase? in phases { step = min(step, phase.end - seconds) }
            for job in jobs where job.start > seconds { step = min(step, job.start - seconds) }
            // A step too small to move the clock would never end.
            step = max(step, 1e-9)
            integrate(step, phases.map { $0?.phase })
            seconds = target - seconds - step < 1e-9 ? target : seconds + step
        }
    }

    private mutating func integrate(_ step: Double, _ phases: [SyntheticJob.Phase?]) {
        idleWander.advance(step, using: &random)
        heatWander.advance(step, using: &random)
        systemWander.advance(step, using: &random)
        let systemCores = min(0.1, max(0, 0.05 + systemWander.value))
        var busy = systemCores + Self.daemonCores
        for (index, phase) in phases.enumerated() {
            jobs[index].advance(step, using: &random)
            busyCores[index] = phase.map { jobs[index].busyCores(in: $0) } ?? 0
            busy += busyCores[index]
        }
        let factor = hardware.factor(busyCores: busy) * (1 + heatWander.value)
        let idle = hardware.idleWatts * (1 + idleWander.value)
        watts = idle
        func draw(_ cores: Double, _ wattsPerCore: Double, into totals: inout Totals) {
            let power = cores * wattsPerCore * factor
            watts += power
            totals.joules += power * step
            totals.cpuSeconds += cores * step
        }
        for (index, phase) in phases.enumerated() {
            guard let phase else { continue }
            draw(busyCores[index], phase.wattsPerCore, into: &active[index])
            reservedIdle[index] += idle * step * Double(jobs[index].reservedCPUs) / Double(hardware.cpus)
        }
        draw(systemCores, systemWatts, into: &system)
        draw(Self.daemonCores, daemonWatts, into: &daemon)
        joules += watts * step
    }
}
