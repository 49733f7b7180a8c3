import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct ReleaseCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let held jobs run: your own that you hold; for admins, all.",
        discussion: """
            "mlctl why" names the rule or user that holds a job. Jobs that can be released are, even if others cannot; then the \
            status is 1.

            EXAMPLE
              mlctl release 42
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs.") var ids: [JobID]

    func run(in context: Context) async throws -> Int32 {
        try await actOnEach(ids, global, context) { client, id in try await client.release(id) }
    }
}
