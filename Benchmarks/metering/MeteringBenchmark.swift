import ArgumentParser

/// The programs behind `Benchmarks/fallback-model`, `report` and their like: one subcommand each.
@main
struct MeteringBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metering-benchmark", abstract: "Measures the meters, the attribution and the ledger.",
        subcommands: [AttributionBenchmark.self, FallbackModel.self, OverheadBenchmark.self, ReportBenchmark.self])
}
