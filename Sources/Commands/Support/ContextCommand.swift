import ArgumentParser
import JobAPI
import JobClient

/// A verb. It says what it has to say through its context and returns its exit status.
protocol ContextCommand: ParsableCommand {
    func run(in context: Context) async throws -> Int32
}

extension GlobalOptions {
    /// Runs `body` with a client for the socket these options choose.
    func withClient<R: Sendable>(_ context: Context, _ body: (JobClient) async throws -> R) async throws -> R {
        try await JobClient.with(socket: socketPath(context), note: { context.note($0) }, body)
    }
}

extension FormatOptions {
    /// Prints `value` as JSON or as `table` renders it.
    func print<T: Encodable>(_ value: T, in context: Context, table: (T) -> String) throws {
        switch format {
        case .json: try context.print(JSON.text(value, pretty: true) + "\n")
        case .table: try context.print(table(value))
        }
    }
}
