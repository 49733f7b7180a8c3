import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct WhyCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say why a job is where it is, which policy rule bound, and what would help.",
        discussion: """
            EXAMPLE
              mlctl why 42
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions
    @Argument(help: "The job.") var job: JobReference

    func run(in context: Context) async throws -> Int32 {
        let why = try await global.withClient(context) { try await $0.why(job) }
        try format.print(why, in: context) { text($0, style: context.outputStyle) }
        return 0
    }
}
