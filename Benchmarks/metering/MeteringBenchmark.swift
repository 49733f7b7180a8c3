import ArgumentParser
import Glibc

/// The programs behind `Benchmarks/fallback-model`, `report` and their like: one subcommand each.
@main
struct MeteringBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metering-benchmark", abstract: "Measures the meters, the attribution and the ledger.",
        subcommands: [AttributionBenchmark.self, FallbackModel.self, OverheadBenchmark.self, ReportBenchmark.self])
}

/// What every benchmark takes.
struct BenchmarkOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

    @Option(help: "A directory of data that the benchmark needs.") var data: String?
    @Flag(help: "Done in under a minute, with less to rest on.") var quick = false
    @Option(help: "table for people, json for programs.") var format = Format.table

    /// Prints the rows, and fails when one of them missed its goal.
    func finish(_ rows: [BenchmarkRow]) throws {
        print(try format == .json ? BenchmarkRow.json(rows) : BenchmarkRow.table(rows), terminator: "")
        if rows.contains(where: { $0.met == false }) { throw ExitCode(1) }
    }
}

extension MeteringBenchmark {
    /// A line for people, beside the rows on standard output.
    static func note(_ message: String) {
        let line = message + "\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
