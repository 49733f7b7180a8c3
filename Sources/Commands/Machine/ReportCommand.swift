import ArgumentParser
import JobAPI
import JobClient
import Reporting
import Units

struct ReportCommand: ContextCommand {
    enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv
    }

    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Report energy and carbon, by job, user, project, queue, device, day or month.",
        discussion: """
            A time is written 2026-11-24, 2026-11-24T08:00:00Z, or as how long ago: "7 d". Days and months are UTC. \
            Every figure comes with its range and with how it is known (tier): measured, calibrated, table, or gap.

            EXAMPLE
              mlctl report --since "7 d" --by user --format csv > week.csv
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("From this time on.", valueName: "time")) var since: Moment?
    @Option(help: ArgumentHelp("Up to this time.", valueName: "time")) var until: Moment?
    @Option(help: "What a row stands for.") var by: ReportGrouping?
    @Option(help: ArgumentHelp("Only this job.", valueName: "id")) var job: JobID?
    @Option(help: "table for people, json for programs, csv for spreadsheets.") var format = ReportFormat.table

    func run(in context: Context) async throws -> Int32 {
        let now = context.now()
        let query = ReportQuery(
            since: since?.timestamp(now: now), until: until?.timestamp(now: now), by: by, job: job)
        if let since = query.since, let until = query.until, until <= since {
            throw Failure.usage("--until (\(until)) must be later than --since (\(since))")
        }
        let report = try await global.withClient(context) { try await $0.report(query) }
        switch format {
        case .table: try context.print(table(report, style: context.outputStyle))
        case .json: try context.print(JSON.text(report, pretty: true) + "\n")
        case .csv: try context.print(csv(report))
        }
        return 0
    }
}
