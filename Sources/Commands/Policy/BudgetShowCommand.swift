import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct BudgetShowCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what each budget has spent and when it begins anew.",
        discussion: """
            Budgets are set in policy files, under [budget.NAME].

            EXAMPLE
              mlctl budget
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions

    func run(in context: Context) async throws -> Int32 {
        let report = try await global.withClient(context) { try await $0.budgets() }
        try format.print(report, in: context) { text($0, style: context.outputStyle) }
        return 0
    }
}
