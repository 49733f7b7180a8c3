package import ArgumentParser

/// What every benchmark takes.
package struct BenchmarkOptions: ParsableArguments {
    package enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

    @Option(help: "A directory of data that the benchmark needs.") package var data: String?
    @Flag(help: "Done in under a minute, with less to rest on.") package var quick = false
    @Option(help: "table for people, json for programs.") package var format = Format.table

    package init() {}

    /// Prints the rows, and fails when one of them missed its goal.
    package func finish(_ rows: [BenchmarkRow]) throws {
        print(try format == .json ? BenchmarkRow.json(rows) : BenchmarkRow.table(rows), terminator: "")
        if rows.contains(where: { $0.met == false }) { throw ExitCode(1) }
    }
}
