import ArgumentParser
import JobAPI

struct ResumeCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let suspended jobs go on.",
        discussion: """
            What you suspended you may resume; what an admin suspended only an admin.

            EXAMPLE
              mlctl resume 42
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await act(.resume, onEach: jobs, global, context)
    }
}
