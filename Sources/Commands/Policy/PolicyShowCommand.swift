import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct PolicyShowCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show every setting in force and the file and line that set it.",
        discussion: """
            EXAMPLE
              mlctl policy show
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions

    func run(in context: Context) async throws -> Int32 {
        let report = try await global.withClient(context) { try await $0.policy() }
        try format.print(report, in: context) { text($0, style: context.outputStyle) }
        return 0
    }
}
