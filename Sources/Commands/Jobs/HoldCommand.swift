import ArgumentParser
import JobAPI

struct HoldCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep queued jobs from starting until they are released.",
        discussion: """
            Of jobs that run nothing changes: see "mlctl suspend". What you hold you may release; what an admin holds only an \
            admin. Jobs that can be held are, even if others cannot; then the status is 1.

            EXAMPLE
              mlctl hold 42
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await act(.hold, onEach: jobs, global, context)
    }
}
