import Metering
import TestSupport
import Units

/// One random schedule on one synthetic machine, run from its first quiet second to the end of its last job.
struct AttributionSchedule {
    /// What became of one job, in joules.
    struct Job {
        var overlapped: Bool
        var trueActive: Double
        var trueIdle: Double
        var given: [AttributionPipeline.Method: AttributionPipeline.Given]
        var ruled: [SimpleRule: Double]

        var truth: Double { trueActive + trueIdle }

        /// How far the sum given is from the truth, relative to it.
        func error(_ method: AttributionPipeline.Method) -> Double {
            abs(Double(given[method]?.energy ?? 0) / 1e6 - truth) / truth
        }

        func activeError(_ method: AttributionPipeline.Method) -> Double {
            abs(Double(given[method]?.active ?? 0) / 1e6 - trueActive) / trueActive
        }

        func error(_ rule: SimpleRule) -> Double { abs((ruled[rule] ?? 0) - truth) / truth }

        func covers(_ method: AttributionPipeline.Method) -> Bool {
            guard let given = given[method] else { return false }
            return Double(given.low) / 1e6 <= truth && truth <= Double(given.high) / 1e6
        }

        /// The width of the stated range, relative to the sum given.
        func width(_ method: AttributionPipeline.Method) -> Double {
            guard let given = given[method], given.energy > 0 else { return 0 }
            return Double(given.high - given.low) / Double(given.energy)
        }
    }

    private(set) var jobs: [Job] = []
    /// What the parts sum to beyond what was metered, in µJ.
    private(set) var residual: [AttributionPipeline.Method: Int64] = [:]
    /// The sum of what was given to all, relative to what was metered while any job ran.
    private(set) var ruledSum: [SimpleRule: Double] = [:]
    private(set) var gaps = 0
    /// What was metered from the first reading to the last, relative to what the machine drew.
    private(set) var meteredPart = 0.0

    init(seed: UInt64, spread: SyntheticSpread) throws {
        var machine = SyntheticMachine(seed: seed, spread: spread)
        let tree = try KernelTree(for: machine, seed: seed)
        try tree.show(machine)
        var ours = AttributionPipeline(
            roots: tree.roots,
            machine: MachineSize(cpus: Double(machine.hardware.cpus), memoryBytes: 64 << 30),
            thermalDesignWatts: machine.hardware.thermalDesignWatts)
        try ours.read(at: 0)
        for moment in Self.moments(of: machine) {
            machine.advance(to: moment)
            try tree.show(machine)
            try ours.read(at: moment)
            for job in machine.jobs {
                if job.end == moment { ours.end(job.id) }
                if job.start == moment {
                    ours.begin(
                        .init(
                            id: job.id, cgroup: tree.cgroup(of: job.id), reservedCPUs: Double(job.reservedCPUs)))
                }
            }
        }
        judge(machine, ours)
    }

    /// Once a second, and at the exact start and end of each job.
    private static func moments(of machine: SyntheticMachine) -> [Double] {
        let edges = machine.jobs.flatMap { [$0.start, $0.end] }
        return Set((1...Int(machine.end)).map(Double.init) + edges).sorted()
    }

    private mutating func judge(_ machine: SyntheticMachine, _ ours: AttributionPipeline) {
        gaps = ours.gaps
        meteredPart = Double(ours.metered) / 1e6 / machine.joules
        for method in AttributionPipeline.Method.allCases {
            residual[method] = (ours.given[method] ?? [:]).values.reduce(0) { $0 + $1.energy } - ours.metered
        }
        for rule in SimpleRule.allCases {
            let sum = (ours.ruled[rule] ?? [:]).values.reduce(0, +)
            ruledSum[rule] = sum / (Double(ours.meteredWithJobs) / 1e6)
        }
        for (index, job) in machine.jobs.enumerated() {
            let account = Account.job(job.id)
            jobs.append(
                Job(
                    overlapped: machine.jobs.contains { $0.id != job.id && $0.start < job.end && job.start < $0.end },
                    trueActive: machine.active[index].joules, trueIdle: machine.reservedIdle[index],
                    given: ours.given.compactMapValues { $0[account] },
                    ruled: ours.ruled.compactMapValues { $0[account] }))
        }
    }
}
