import ArgumentParser

/// The programs behind `Benchmarks/scheduling` and `Benchmarks/simulation`.
@main
struct SchedulingBenchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduling-benchmark", abstract: "Measures the scheduler and the simulation.",
        subcommands: [DecisionBenchmark.self, SimulationBenchmark.self])
}
