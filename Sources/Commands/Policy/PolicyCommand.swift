import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Look at the policy in force; check policy files, try them on past jobs, put them in force.",
        discussion: """
            EXAMPLE
              mlctl policy check /etc/mld/policies.d/*.toml
            """,
        subcommands: [
            PolicyShowCommand.self, PolicyCheckCommand.self, PolicyReloadCommand.self, PolicySimulateCommand.self,
            PolicyCompareCommand.self, PolicyTuneCommand.self,
        ])
}
