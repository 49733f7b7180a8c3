import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct ListCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs, newest first: the active ones and the last that ended.",
        discussion: """
            EXAMPLE
              mlctl list --state queued --state running
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions
    @Option(help: "Only jobs in this state; may be repeated.") var state: [JobState] = []
    @Option(help: ArgumentHelp("Only this user's jobs.", valueName: "name")) var user: String?
    @Option(help: ArgumentHelp("At most so many jobs.", valueName: "count")) var limit: Int?

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    }

    func run(in context: Context) async throws -> Int32 {
        let list = try await global.withClient(context) { client in
            try await client.jobs(states: state.isEmpty ? nil : state, user: user, limit: limit)
        }
        try format.print(list, in: context) { table($0, now: context.now(), style: context.outputStyle) }
        return 0
    }
}
