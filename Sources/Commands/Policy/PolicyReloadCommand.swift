import ArgumentParser
import ConfigFile
import JobAPI
import JobClient
import Reporting

struct PolicyReloadCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Put the policy files in force, all of them or none; for admins.",
        discussion: """
            Where a file has a problem, the policy in force stays, and every problem is shown with its file and line. Warnings tell \
            what is in force and will not do what it seems to, on this machine too.

            EXAMPLE
              mlctl policy check /etc/mld/policies.d/*.toml && mlctl policy reload
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions

    func run(in context: Context) async throws -> Int32 {
        let result = try await global.withClient(context) { try await $0.reloadPolicy() }
        try format.print(result, in: context) { result in
            let count = result.files.count == 1 ? "1 file" : "\(result.files.count) files"
            guard result.changed else { return "nothing has changed: \(count), \(result.hash.prefix(12))\n" }
            return (result.files.isEmpty ? "in force: the built-in policy" : "in force: \(count)")
                + ", \(result.hash.prefix(12))\n"
        }
        if format.format == .table {
            for problem in result.warnings { context.note(printable("warning: \(problem.description)")) }
        }
        return 0
    }
}
