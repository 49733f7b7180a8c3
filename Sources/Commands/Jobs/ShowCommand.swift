import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct ShowCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything about a job: its life, its sandbox as enforced, its metrics, energy and carbon.",
        discussion: """
            EXAMPLE
              mlctl show 42
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions
    @Argument(help: "The job.") var id: JobID

    func run(in context: Context) async throws -> Int32 {
        let detail = try await global.withClient(context) { try await $0.job(id) }
        try format.print(detail, in: context) { text($0, now: context.now(), style: context.outputStyle) }
        return 0
    }
}
