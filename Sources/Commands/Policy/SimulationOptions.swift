import ArgumentParser
import JobAPI
import Reporting
import Simulation
import Units

enum SimulatedCapacity: String, ExpressibleByArgument, CaseIterable {
    case machine, unlimited
}

enum SimulationFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv, html
}

extension Replay.Limits: ExpressibleByArgument {}

/// What `policy simulate` and `compare` show besides.
struct FirstComeOption: ParsableArguments {
    @Flag(
        help: """
            Show the first policy also first come, first served, where no job starts before one that waits ahead of it: what \
            backfilling is worth.
            """)
    var fcfs = false
}

/// What `policy simulate`, `compare` and `tune` have in common.
struct SimulationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The jobs: .swf (Standard Workload Format) or .csv, either also packed as .gz; or \"ledger\": what the daemon's "
                + "machine ran.", valueName: "file|ledger"))
    var trace: String
    @Option(help: ArgumentHelp("Of the ledger: jobs submitted from this time on.", valueName: "time")) var since:
        Moment?
    @Option(help: ArgumentHelp("Of the ledger: jobs submitted before this time.", valueName: "time")) var until: Moment?
    @Option(
        help: ArgumentHelp(
            "The grid's carbon intensity over time (CSV). Default: what the ledger was kept with, else the zone's mean.",
            valueName: "csv"))
    var signal: String?
    @Option(help: ArgumentHelp("The price of energy over time (CSV).", valueName: "csv")) var price: String?
    @Option(
        help: ArgumentHelp(
            "The machine (TOML): cpus, memory, gpus or [[gpu]] with count, model and memory, idle-power, power-per-cpu, "
                + "power-per-gpu. Default: with the ledger, the daemon's.", valueName: "file"))
    var machine: String?
    @Option(help: "machine: jobs wait for room. unlimited: there is always room.")
    var capacity = SimulatedCapacity.machine
    @Option(
        help: ArgumentHelp(
            "The time slots in which jobs are deferred and the grid's figures are taken.", valueName: "duration"))
    var step = "30 min"
    @Option(
        help: ArgumentHelp(
            "What the scheduler knows of the grid's days to come: perfect, model (as mld itself), or an error in percent "
                + "such as \"5%\".", valueName: "kind"))
    var forecast = "perfect"
    @Option(
        help: ArgumentHelp(
            "What going on after a suspension takes, in seconds of the job's power.", valueName: "seconds"))
    var restartCost = 120.0
    @Option(
        help: """
            stated: time limits of the trace, else the queue's longest. learned: the same, and what is learned of run times as \
            jobs end, as mld does. exact: the run times. Default: learned, where the trace states any limits.
            """)
    var limits: Replay.Limits?
    @Option(help: ArgumentHelp("Decides the errors of a forecast in percent.", valueName: "number")) var seed: UInt64 =
        1
    @Option(help: "table for people, json for programs, csv for spreadsheets, html for a page with diagrams.")
    var format = SimulationFormat.table
    @Option(help: ArgumentHelp("Write there instead of to standard output.", valueName: "file")) var output: String?

    func print(_ report: SimulationReport, in context: Context) throws {
        try print(
            in: context, table: table(report, style: context.outputStyle), json: try JSON.text(report, pretty: true),
            csv: csv(report), html: html(report))
    }

    /// Prints a report in the format asked for, to where it was asked for.
    func print(
        in context: Context, table: @autoclosure () -> String, json: @autoclosure () throws -> String,
        csv: @autoclosure () -> String, html: @autoclosure () -> String
    ) throws {
        let text =
            switch format {
            case .table: table()
            case .json: try json() + "\n"
            case .csv: csv()
            case .html: html()
            }
        guard let output else { return try context.print(text) }
        try writeFile(text, to: output)
    }
}
