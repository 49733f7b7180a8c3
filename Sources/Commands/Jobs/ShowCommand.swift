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
              mlctl show 42.7
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions
    @Argument(help: "The job, or an array.") var job: JobReference

    func run(in context: Context) async throws -> Int32 {
        try await global.withClient(context) { client in
            do {
                let detail = try await client.job(job)
                try format.print(detail, in: context) { text($0, now: context.now(), style: context.outputStyle) }
            } catch let error as ClientError {
                guard case .refused(let refusal) = error, refusal.code == .isArray else { throw error }
                let array = try await client.array(job.id)
                try format.print(array, in: context) { text($0, now: context.now(), style: context.outputStyle) }
            }
        }
        return 0
    }
}
