import ArgumentParser
import JobAPI

struct SuspendCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Let running jobs stand still until they are resumed.",
        discussion: """
            Every process of the job is frozen where it is. The job keeps what it holds, memory, CPUs and GPUs, and goes on \
            paying for it; the time it stands still does not count against its limit.

            EXAMPLE
              mlctl suspend 42
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await act(.suspend, onEach: jobs, global, context)
    }
}
