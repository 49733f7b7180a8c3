import ArgumentParser
import Training

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is wrong with a job, or what it would take.",
        discussion: "Example: mltrain check fashion-mnist.toml")

    @Argument(help: "The job: TOML, or JSON with the suffix .json.")
    var job: String

    @Option(help: "Change the job: key.path=VALUE, as in --set train.seed=2. May be repeated.")
    var set: [String] = []

    func run() throws {
        try reporting {
            print(try TrainingPlan.load(job, assignments: set).prepared().summary)
        }
    }
}
