import ArgumentParser
import BenchmarkSupport
import Glibc

/// Shares out the energy of synthetic machines, where each job's true energy is known.
struct AttributionBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attribution", abstract: "Compares each job's energy with the truth, on synthetic machines.")

    @OptionGroup var options: BenchmarkOptions
    @Option(help: "Random schedules, each on a machine of its own.") var schedules: Int?
    @Option(help: "The seed of the first schedule; the others follow.") var seed: UInt64 = 1

    @Option(help: "How much jobs differ in watts per busy core: standard deviation of the logarithm.")
    var jobSpread = SyntheticSpread().jobs
    @Option(help: "How much the kinds of work of one job differ.") var phaseSpread = SyntheticSpread().phases
    @Option(help: "The most that two kinds of work may differ by, as a factor from 1 up; inf for no cut.")
    var limit = SyntheticSpread().limit

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit is a factor from 1 up, not \(limit)") }
    }

    func run() async throws {
        let count = max(1, schedules ?? (options.quick ? 100 : 1000))
        let seeds = (0..<UInt64(count)).map { seed &+ $0 }
        let spread = SyntheticSpread(jobs: jobSpread, phases: phaseSpread, limit: limit)
        let lanes = max(1, min(8, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let finished = try await withThrowingTaskGroup(of: [AttributionSchedule].self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    try stride(from: lane, to: seeds.count, by: lanes).map {
                        try AttributionSchedule(seed: seeds[$0], spread: spread)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try options.finish(AttributionRows(finished).rows)
    }
}
