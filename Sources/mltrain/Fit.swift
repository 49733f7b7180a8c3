import ArgumentParser
import Training

struct Fit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train, test and write the model.",
        discussion: "Example: mltrain fit fashion-mnist.toml --output model --threads 2")

    @Argument(help: "The job: TOML, or JSON with the suffix .json.")
    var job: String

    @Option(name: .shortAndLong, help: "Where the model goes (default: $MLD_OUTPUT_DIR, else ./model).")
    var output: String?

    @Option(help: "Change the job: key.path=VALUE, as in --set train.seed=2. May be repeated.")
    var set: [String] = []

    @Option(help: "Threads to train with (default: as the job says). They do not change the result.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
        if output == "" { throw ValidationError("--output must name a directory") }
    }

    func run() throws {
        var stop: StopSignal?
        var isInterrupted = false
        do {
            try reporting {
                let signal = try StopSignal()
                stop = signal
                let events = try EventWriter(descriptor: environment("MLD_EVENTS_FD"))
                let prepared = try TrainingPlan.load(job, assignments: set).prepared()
                // Given empty, the variable is as good as not given.
                let given = environment("MLD_OUTPUT_DIR").flatMap { $0.isEmpty ? nil : $0 }
                let directory = try OutputDirectory(output ?? given ?? "model")
                try directory.lock()
                try BLASStart.selfTest()
                do throws(TrainingError) {
                    try prepared.run(
                        RunContext(output: directory, events: events, stop: signal, threads: threads))
                } catch {
                    isInterrupted = error.stage == .interrupted
                    throw error
                }
            }
        } catch let code as ExitCode {
            // Whoever sent a signal wants to see that it was obeyed, and not that all is well when it is not.
            if isInterrupted, let number = stop?.number { throw ExitCode(128 + number) }
            throw code
        }
    }
}
