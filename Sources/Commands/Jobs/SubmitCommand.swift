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
            not the job.

            EXAMPLE
              mlctl submit examples/fashion-mnist.toml --set train.epochs=3 --wait
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("The job file (TOML).", valueName: "job.toml")) var file: String
    @Option(
        help: ArgumentHelp(
            "Change a key of the file, as in resources.cpus=2; may be repeated.", valueName: "key.path=value"))
    var set: [String] = []
    @Flag(help: "Show progress to the end and exit with the job's status.") var wait = false

    func run(in context: Context) async throws -> Int32 {
        var file = try JobFile(path: file)
        for assignment in set { try file.set(assignment) }
        let spec = try file.spec(directory: context.directory, home: context.home)
        try checkTraining(file, spec, context)
        return try await global.withClient(context) { client in
            let submitted = try await client.submit(spec)
            try context.print("\(submitted.id)\n")
            guard wait else {
                context.note(printable("job \(submitted.id) \(submitted.state.rawValue): \(submitted.reason)"))
                return 0
            }
            let display = LiveDisplay(submitted.id, context)
            defer { display.finish() }
            let job = try await Follower(client: client, id: submitted.id, logs: false, isKnown: true).run {
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
