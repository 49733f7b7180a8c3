import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct LogsCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print what a job has written.",
        discussion: """
            On a terminal, control characters other than line ends and tabs are shown as escapes, since a job may \
            write anything; --raw passes them on. Into a pipe or a file everything goes as it is.

            EXAMPLE
              mlctl logs 42 --follow --stream stderr
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The job.") var job: JobReference
    @Flag(name: [.short, .long], help: "Go on until the job ends.") var follow = false
    @Option(help: "stdout, stderr or all.") var stream = LogStream.all
    @Option(help: ArgumentHelp("Only the last so many bytes; not with --follow.", valueName: "bytes")) var tail: Int?
    @Flag(help: "Pass control characters on to the terminal.") var raw = false

    func validate() throws {
        if follow, tail != nil { throw ValidationError("--tail and --follow exclude each other") }
        if let tail, tail < 1 { throw ValidationError("--tail must be at least 1") }
    }

    func run(in context: Context) async throws -> Int32 {
        try await global.withClient(context) { client in
            guard follow else {
                try print(try await client.logs(job, stream: stream, tail: tail), in: context)
                return
            }
            try await client.reach()
            let id = job.index == nil ? job.id : try await client.job(job).job.id
            _ = try await Follower(client: client, id: id, logs: true, note: { context.note($0) }).run { event in
                guard event.type == .log, let text = event.text else { return }
                if stream == .all || event.stream == stream.rawValue { try print(Array(text.utf8), in: context) }
            }
        }
        return 0
    }

    private func print(_ bytes: [UInt8], in context: Context) throws {
        guard context.outputIsTerminal, !raw else { return try context.output(bytes) }
        try context.print(printable(String(decoding: bytes, as: UTF8.self), keepingLines: true))
    }
}
