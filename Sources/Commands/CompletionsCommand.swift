import ArgumentParser

struct CompletionsCommand: ContextCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print a script that teaches a shell to complete mlctl's verbs and options.",
        discussion: """
            EXAMPLE
              mlctl completions bash > ~/.local/share/bash-completion/completions/mlctl
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run(in context: Context) async throws -> Int32 {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try context.print(Mlctl.completionScript(for: shell) + "\n")
        return 0
    }
}
