import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct CancelCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs, queued or running.",
        discussion: """
            A running job is asked to stop, and stopped if it does not. Jobs that can be cancelled are, even if others \
            cannot; then the status is 1.

            EXAMPLE
              mlctl cancel 42 43
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs.") var ids: [JobID]

    func run(in context: Context) async throws -> Int32 {
        try await actOnEach(ids, global, context) { client, id in try await client.cancel(id) }
    }
}
