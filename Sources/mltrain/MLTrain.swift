import ArgumentParser
import Glibc
import Training

struct MLTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mltrain",
        abstract: "Train a model as a job file describes it, and use it.",
        discussion: """
            Events are JSON lines on the descriptor that MLD_EVENTS_FD names, else on standard output.
            Exit status: 0 done, 1 failed, 2 wrong use, 143 stopped by SIGTERM, 130 by SIGINT.
            """,
        version: toolVersion,
        subcommands: [Fit.self, Check.self, Predict.self, Generate.self, Bench.self])
}

/// Writes to standard error. What cannot be said there can be said nowhere.
func complain(_ text: String) {
    let line = text.hasSuffix("\n") ? text : text + "\n"
    // Not `stderr`: a C variable that anyone could set.
    _ = line.withCString { write(STDERR_FILENO, $0, line.utf8.count) }
}

/// Turns errors into lines and an exit status.
func reporting(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        complain(describe(error))
        throw ExitCode(1)
    }
}
