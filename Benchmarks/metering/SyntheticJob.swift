import TestSupport

/// One job of a synthetic machine: when it runs, what it uses and what that draws. `Benchmarks/README.md` states the model.
struct SyntheticJob {
    /// A stretch of one kind of work.
    struct Phase {
        /// Seconds after the job's start.
        var start: Double
        var cores: Double
        /// Watts of a busy core, before the package's own factors.
        var wattsPerCore: Double
    }

    let id: Int64
    /// Seconds since the machine's start.
    var start: Double
    let length: Double
    let reservedCPUs: Int
    let phases: [Phase]
    /// CPU use is never quite steady.
    private(set) var unsteadiness: Wander

    var end: Double { start + length }

    init(
        id: Int64, start: Double, on machine: SyntheticHardware, spread: SyntheticSpread, using random: inout Seeded
    ) {
        self.id = id
        self.start = start
        // In microseconds, as the kernel's counters are.
        length = (random.logUniform(20...600) * 1e6).rounded() / 1e6
        let sizes = [1, 2, 4, 8, 16, 32].filter { $0 <= machine.cpus / 2 }
        reservedCPUs = sizes.randomElement(using: &random) ?? 1
        phases = Self.phases(
            length: length, reserved: Double(reservedCPUs), on: machine, spread: spread, using: &random)
        unsteadiness = Wander(deviation: 0.02, seconds: 1, using: &random)
    }

    /// Loading data on part of a core, computing on all of what is reserved, at times evaluating on some of it, and again.
    private static func phases(
        length: Double, reserved: Double, on machine: SyntheticHardware, spread: SyntheticSpread,
        using random: inout Seeded
    ) -> [Phase] {
        let own = machine.limited(machine.wattsPerCore * random.logNormal(spread.jobs))
        let kinds = (0..<3).map { _ in random.logNormal(spread.phases) }
        let diligence = random.uniform(0.9...1)
        var phases: [Phase] = []
        var at = 0.0
        func add(_ kind: Int, cores: Double, seconds: Double) {
            let watts = machine.limited(own * kinds[kind] * random.logNormal(0.03))
            phases.append(Phase(start: at, cores: cores, wattsPerCore: watts))
            at += seconds
        }
        while at < length {
            add(0, cores: random.uniform(0.1...1), seconds: random.uniform(3...20))
            add(1, cores: reserved * diligence, seconds: random.uniform(10...60))
            if random.uniform(0...1) < 0.3 {
                add(2, cores: reserved * random.uniform(0.3...0.7), seconds: random.uniform(3...20))
            }
        }
        return phases
    }

    /// The phase at a moment of the machine's time, and when it ends.
    func phase(at seconds: Double) -> (phase: Phase, end: Double)? {
        guard seconds >= start, seconds < end else { return nil }
        let after = phases.firstIndex { $0.start > seconds - start } ?? phases.count
        guard after > 0 else { return nil }
        return (phases[after - 1], after < phases.count ? min(end, start + phases[after].start) : end)
    }

    func busyCores(in phase: Phase) -> Double {
        min(Double(reservedCPUs), max(0, phase.cores * (1 + unsteadiness.value)))
    }

    mutating func advance(_ step: Double, using random: inout Seeded) {
        unsteadiness.advance(step, using: &random)
    }
}
