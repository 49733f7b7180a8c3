import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct DevicesCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Show what the machine has, what is in use, and how its power is known.",
        discussion: """
            EXAMPLE
              mlctl devices --format json
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions

    func run(in context: Context) async throws -> Int32 {
        let report = try await global.withClient(context) { try await $0.devices() }
        try format.print(report, in: context) { text($0, style: context.outputStyle) }
        return 0
    }
}
