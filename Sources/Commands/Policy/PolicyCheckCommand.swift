import ArgumentParser
import Carbon
import ConfigFile
import Policy
import Reporting

struct PolicyCheckCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check policy files, merged in the order given; needs no daemon.",
        discussion: """
            Every problem is shown with its file and line; then the status is 1. Warnings do not change it.

            EXAMPLE
              mlctl policy check /etc/mld/policies.d/*.toml
            """)

    @OptionGroup var format: FormatOptions
    @Argument(help: ArgumentHelp("The policy files (TOML).", valueName: "file")) var files: [String]

    private struct Verdict: Encodable {
        var files: [String]
        var problems: [ConfigProblem]
        var warnings: [ConfigProblem]
    }

    func run(in context: Context) async throws -> Int32 {
        let texts = try files.map { (name: $0, text: try readText($0)) }
        let found = PolicyCheck.verdict(files: texts, zones: CarbonTable.find, at: context.now())
        let problems = found.problems
        let verdict = Verdict(files: files, problems: problems, warnings: found.warnings)
        try format.print(verdict, in: context) { verdict in
            let count = verdict.files.count == 1 ? "1 file" : "\(verdict.files.count) files"
            return verdict.problems.isEmpty ? "\(count): no problems\n" : ""
        }
        if format.format == .table {
            for problem in problems { context.note(printable(problem.description)) }
            for problem in found.warnings {
                context.note(printable("warning: \(problem.description)"))
            }
        }
        return problems.isEmpty ? 0 : 1
    }
}
