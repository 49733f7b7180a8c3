import ArgumentParser
import JobAPI

struct CancelCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs, queued or running.",
        discussion: """
            A running job is asked to stop, and stopped if it does not. Jobs that can be cancelled are, even if others \
            cannot; then the status is 1. The number of an array stands for all its jobs.

            EXAMPLE
              mlctl cancel 42 43.7
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await act(.cancel, onEach: jobs, global, context)
    }
}
