import ArgumentParser
import JobAPI

struct RequeueCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue",
        abstract: "Stop running jobs and let them wait again; submit ended ones anew.",
        discussion: """
            A running job is asked to stop, so that it can save what it has, and waits again under its number as another \
            attempt; a training job goes on from its last checkpoint. Of a job that has ended a copy is submitted, which has a \
            number of its own.

            EXAMPLE
              mlctl requeue 42
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await act(.requeue, onEach: jobs, global, context)
    }
}
