import JobAPI
import Policy
import Scheduling
import TestSupport
import Units

@testable import Simulation

func t(_ seconds: Double) -> Timestamp { Timestamp(seconds: 1_700_000_000 + seconds) }

func traced(
    _ name: String, at submit: Double, run: Double, cpus: Int = 1, gpus: Int = 0, limit: Double? = nil,
    power: Double? = nil, user: Int32 = -1, queue: Int32 = -1
) -> TraceJob {
    TraceJob(
        name: name, submit: t(submit), runTime: run,
        request: ResourceVector(cpus: cpus, memory: .mebibytes(1), gpus: gpus), timeLimit: limit, power: power,
        user: user, queue: queue)
}

func machine(_ cpus: Int, gpus: Int = 0, idle: Double = 0, perCPU: Double = 0, perGPU: Double = 0) -> SimulatedMachine {
    SimulatedMachine(
        capacity: MachineCapacity(cpus: cpus, memory: .gibibytes(1024), gpus: gpus), idlePower: idle, cpuPower: perCPU,
        gpuPower: perGPU)
}

func policy(_ text: String) throws -> PolicySet { try PolicySet.load(files: [(name: "p.toml", text: text)]) }

extension ReplayLog {
    /// When each job started, in seconds of the test's time.
    var starts: [Double?] { runs.map { $0.started?.since(t(0)).seconds } }
    var ends: [Double?] { runs.map { $0.ended?.since(t(0)).seconds } }
}

/// A busy machine: jobs of random sizes come faster than they can all run.
func randomTrace(_ seed: UInt64, jobs: Int, cpus: Int, interarrival: Int = 40, users: Int32 = 3) -> Trace {
    var random = Seeded(seed)
    var now = 0.0
    var trace = Trace(users: (0..<users).map { "user\($0)" })
    for number in 0..<jobs {
        now += Double(Int.random(in: 0...interarrival, using: &random))
        let run = Double(Int.random(in: 1...400, using: &random))
        trace.jobs.append(
            traced(
                "\(number)", at: now, run: run, cpus: Int.random(in: 1...cpus, using: &random),
                limit: run * Double(Int.random(in: 1...3, using: &random)),
                power: Bool.random(using: &random) ? Double(Int.random(in: 0...300, using: &random)) : nil,
                user: Int32.random(in: 0..<users, using: &random)))
    }
    return trace
}
