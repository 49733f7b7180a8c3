import ArgumentParser

struct BudgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget",
        abstract: "Show what each budget has spent and when it begins anew; give one more.",
        discussion: """
            EXAMPLE
              mlctl budget
              mlctl budget grant vision "10 kWh" --reason "paper deadline"
            """,
        subcommands: [BudgetShowCommand.self, BudgetGrantCommand.self], defaultSubcommand: BudgetShowCommand.self)
}
