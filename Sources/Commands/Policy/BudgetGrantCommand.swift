import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct BudgetGrantCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Give a budget more for the period that goes on; for admins and whom the policy names.",
        discussion: """
            The amount counts until the period ends, and is added to what the policy gives. It is written in the ledger with \
            who gave it and why.

            EXAMPLE
              mlctl budget grant vision "10 kWh" --reason "paper deadline"
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions
    @Argument(help: "The budget's name in the policy.") var budget: String
    @Argument(help: "How much: an energy, a mass of carbon or money.") var amount: String
    @Option(help: "Why, for the ledger.") var reason: String?

    func run(in context: Context) async throws -> Int32 {
        let grant = BudgetGrantRequest(amount: amount, reason: reason)
        let report = try await global.withClient(context) { try await $0.grant(grant, to: budget) }
        try format.print(report, in: context) { text($0, style: context.outputStyle) }
        return 0
    }
}
