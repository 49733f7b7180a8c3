import ArgumentParser
import JobAPI
import JobClient
import Reporting
import Units

struct EstimateCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "estimate",
        abstract: "Say what a job would take, cause and cost, now and at the best time, without submitting it.",
        discussion: """
            Times and watts are learned from earlier runs of its kind; where there are none, from its time limit and \
            the machine. Each figure has a range. Name a job file, or a command after -- with the options of mlctl run.

            EXAMPLE
              mlctl estimate job.toml --set train.epochs=3 --by 2026-11-25T08:00:00Z
              mlctl estimate --cpus 2 --time "1 h" -- python3 train.py
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var format: FormatOptions
    @Argument(help: ArgumentHelp("The job file (TOML).", valueName: "job.toml")) var file: String?
    @Option(
        help: ArgumentHelp(
            "Change a key of the file, as in resources.cpus=2; may be repeated.", valueName: "key.path=value"))
    var set: [String] = []
    @OptionGroup var job: JobOptions

    func validate() throws {
        guard (file == nil) != job.command.isEmpty else {
            throw ValidationError(
                "name either a job file or a command after --, as in: mlctl estimate -- python3 train.py")
        }
        if file == nil, !set.isEmpty { throw ValidationError("--set changes keys of a job file; name one") }
    }

    func run(in context: Context) async throws -> Int32 {
        let spec = try spec(context)
        let deadline = job.by?.timestamp(now: context.now())
        let estimate = try await global.withClient(context) { try await $0.estimate(spec, by: deadline) }
        try format.print(estimate, in: context) { text($0, style: context.outputStyle) }
        return estimate.admission.accepted ? 0 : 1
    }

    private func spec(_ context: Context) throws -> JobSpec {
        guard let file else { return try job.spec(context) }
        var read = try JobFile(path: file)
        for assignment in set { try read.set(assignment) }
        return try read.spec(directory: context.directory, home: context.home)
    }
}
