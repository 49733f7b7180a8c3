import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Look at the policy in force, or check policy files.",
        discussion: """
            EXAMPLE
              mlctl policy check /etc/mld/policies.d/*.toml
            """,
        subcommands: [PolicyShowCommand.self, PolicyCheckCommand.self])
}
