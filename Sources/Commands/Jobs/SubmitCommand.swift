import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct SubmitCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Submit a job file; print the job's id.",
        discussion: """
            The file is checked first; with any problem in it, each is shown with its line and nothing is submitted. \
            Relative paths in the file start at the directory you are in. With --wait, Ctrl-C stops the watching, \
            not the job. --array submits many jobs of one description; each finds its index in MLD_ARRAY_INDEX.

            EXAMPLE
              mlctl submit examples/fashion-mnist.toml --set train.epochs=3 --wait
              mlctl submit sweep.toml --array 1-100%8 --after 41
              mlctl submit train.toml --by "12 h" --interruptible
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("The job file (TOML).", valueName: "job.toml")) var file: String
    @Option(
        help: ArgumentHelp(
            "Change a key of the file, as in resources.cpus=2; may be repeated.", valueName: "key.path=value"))
    var set: [String] = []
    @Option(
        help: ArgumentHelp(
            "Many jobs, as in 1-100%8: indices 1 to 100, at most 8 at a time.", valueName: "indices"))
    var array: String?
    @Option(
        help: ArgumentHelp(
            "Start after this job has come to succeeded (the default), failed or ended; may be repeated.",
            valueName: "id[:state]"))
    var after: [String] = []
    @Option(
        help: ArgumentHelp(
            "It shall have ended by then, and may wait for a better time until it must start: RFC 3339, or from now as in \"8 h\".",
            valueName: "time"))
    var by: Deadline?
    @Flag(help: "It may be stopped and started again, and so run in the best hours.") var interruptible = false
    @Flag(help: "Show progress to the end and exit with the job's status.") var wait = false

    private static let waitsForOne = "--wait follows one job; use mlctl wait with the array's id"

    func validate() throws {
        if wait, array != nil { throw ValidationError(Self.waitsForOne) }
        // They become parts of a TOML text.
        for text in [array].compactMap(\.self) + after where text.contains("\"") || text.contains("\\") {
            throw ValidationError("\"\(text)\" is neither a job nor a list of indices")
        }
    }

    func run(in context: Context) async throws -> Int32 {
        var file = try JobFile(path: file)
        for assignment in set { try file.set(assignment) }
        if let array { try file.set("array=\"\(array)\"") }
        if !after.isEmpty { try file.set("schedule.after=[" + after.map { "\"\($0)\"" }.joined(separator: ", ") + "]") }
        if let by { try file.set("schedule.deadline=\"\(by.timestamp(now: context.now()))\"") }
        if interruptible { try file.set("schedule.interruptible=true") }
        let spec = try file.spec(directory: context.directory, home: context.home)
        // The file or --set may say so too.
        if wait, spec.array != nil { throw Failure.usage(Self.waitsForOne) }
        try checkTraining(file, spec, context)
        return try await global.withClient(context) { client in
            let submitted = try await client.submit(spec)
            try context.print("\(submitted.id)\n")
            guard wait, submitted.elements == nil else {
                let what = submitted.elements.map { "array \(submitted.id) of \($0) jobs" } ?? "job \(submitted.id)"
                context.note(printable("\(what) \(submitted.state.rawValue): \(submitted.reason)"))
                return 0
            }
            let display = LiveDisplay(submitted.id, context)
            defer { display.finish() }
            let job = try await Follower(
                client: client, id: submitted.id, logs: false, isKnown: true, note: { context.note($0) }
            ).run {
                display.take($0)
            }
            display.finish()
            context.note(summary(job, now: context.now()))
            return exitStatus(of: job)
        }
    }

    /// The training program alone knows the keys of its sections. What `--set` changed it is shown as the merged job, in
    /// which keys have no lines any more.
    private func checkTraining(_ file: JobFile, _ spec: JobSpec, _ context: Context) throws {
        guard spec.train != nil,
            let trainer = Trainer.locate(executable: context.executable, searchPath: context.environment["PATH"])
        else { return }
        if file.changedSections.isEmpty {
            if let problems = try trainer.check(file.path) { throw Failure.failed(problems) }
            return
        }
        let merged = try TemporaryFile(JSON.encode(spec), suffix: ".json")
        if let problems = try trainer.check(merged.path) {
            throw Failure.failed(problems.replacing(merged.path, with: file.path + " with --set"))
        }
    }
}
