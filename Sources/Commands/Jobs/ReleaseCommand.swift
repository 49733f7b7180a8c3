import ArgumentParser
import JobAPI

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
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await act(.release, onEach: jobs, global, context)
    }
}
