package import ArgumentParser
import JobAPI
import JobClient
import Reporting

/// The command-line client of mld.
package struct Mlctl: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "mlctl",
        abstract: "Submit machine-learning jobs to mld, watch them, and see what they cost in energy and carbon.",
        discussion: """
            EXAMPLE
              mlctl run --cpus 2 --memory "2 GiB" -- python3 train.py
              mlctl report --by day

            Exit status: 0 success; 1 the job or the request failed; 2 the command line is wrong; 3 the daemon \
            cannot be reached. "run", "wait" and "submit --wait" exit with the job's own status.
            """,
        version: "mlctl \(mldVersion)",
        subcommands: [
            RunCommand.self, SubmitCommand.self, EstimateCommand.self, ListCommand.self, ShowCommand.self,
            WhyCommand.self,
            LogsCommand.self, WaitCommand.self, CancelCommand.self, HoldCommand.self, ReleaseCommand.self,
            SuspendCommand.self, ResumeCommand.self, RequeueCommand.self, DevicesCommand.self, ReportCommand.self,
            BudgetCommand.self, PolicyCommand.self, CompletionsCommand.self,
        ])

    package init() {}

    /// Parses `arguments` (without the program's name), runs the verb and returns the exit status.
    package static func run(_ arguments: [String], in context: Context) async -> Int32 {
        var context = context
        var arguments = arguments[...]
        // The parser knows options of a verb only behind the verb; this one people write in front, too.
        if arguments.first == "--socket", arguments.count > 1 {
            context.environment["MLD_SOCKET"] = arguments.dropFirst().first
            arguments = arguments.dropFirst(2)
        } else if let first = arguments.first, first.hasPrefix("--socket=") {
            context.environment["MLD_SOCKET"] = String(first.dropFirst("--socket=".count))
            arguments = arguments.dropFirst()
        }
        do {
            var command = try parseAsRoot(Array(arguments))
            guard let verb = command as? any ContextCommand else {
                // Help, and nouns without a verb.
                try command.run()
                return 0
            }
            return try await verb.run(in: context)
        } catch {
            return report(error, in: context)
        }
    }

    private static func report(_ error: any Error, in context: Context) -> Int32 {
        switch error {
        case is OutputClosed: return 1
        case let failure as Failure:
            if !failure.message.isEmpty { context.note("mlctl: " + printable(failure.message, keepingLines: true)) }
            return failure.status
        case let error as ClientError:
            context.note("mlctl: " + printable(error.description, keepingLines: true))
            if case .unreachable = error { return 3 }
            return 1
        default: break
        }
        let message = fullMessage(for: error, columns: context.outputStyle.width ?? 80)
        if exitCode(for: error) == .success {
            do { try context.print(message + "\n") } catch { return 1 }
            return 0
        }
        // Whatever the parser refuses is usage; anything else that got here is a failure nobody foresaw.
        let isUsage = exitCode(for: error) == .validationFailure
        context.note(isUsage ? message : "mlctl: \(error)")
        return isUsage ? 2 : 1
    }
}
