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

            --audit recomputes the whole ledger and names the first row that is not what mld wrote; the status is 1 then. \
            Keep the last hash it prints: it proves later that nothing before was rewritten.

            EXAMPLE
              mlctl report --since "7 d" --by user --format csv > week.csv
              mlctl report --audit
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("From this time on.", valueName: "time")) var since: Moment?
    @Option(help: ArgumentHelp("Up to this time.", valueName: "time")) var until: Moment?
    @Option(help: "What a row stands for.") var by: ReportGrouping?
    @Option(help: ArgumentHelp("Only this job.", valueName: "id")) var job: JobID?
    @Option(help: "full: active and reserved idle energy; marginal: active only. Default: what the policy says.")
    var basis: BillingBasis?
    @Flag(help: "Recompute the ledger instead: chain of hashes, balance, sums, carbon. Admins only.") var audit = false
    @Option(help: "table for people, json for programs, csv for spreadsheets.") var format = ReportFormat.table

    func run(in context: Context) async throws -> Int32 {
        if audit { return try await runAudit(in: context) }
        let now = context.now()
        let query = ReportQuery(
            since: since?.timestamp(now: now), until: until?.timestamp(now: now), by: by, job: job,
            basis: basis)
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

    private func runAudit(in context: Context) async throws -> Int32 {
        if format == .csv { throw Failure.usage("an audit is printed as table or json") }
        if since != nil || until != nil || by != nil || job != nil || basis != nil {
            throw Failure.usage("an audit is of the whole ledger: leave out --since, --until, --by, --job and --basis")
        }
        let report = try await showingWait("auditing the ledger", context) {
            try await global.withClient(context) { try await $0.audit() }
        }
        switch format {
        case .table, .csv: try context.print(text(report))
        case .json: try context.print(JSON.text(report, pretty: true) + "\n")
        }
        return report.ok ? 0 : 1
    }
}
