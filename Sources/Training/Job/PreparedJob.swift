package import ConfigFile
import JobAPI
import Learning
import Tensors

/// A job held against its data, ready to run: a network, a tree or a pair of adversaries.
package protocol PreparedJob: Sendable {
    /// What `mltrain check` prints, and a job before it trains: data, model, memory.
    var summary: String { get }

    /// Trains, tests and writes the model.
    ///
    /// - Throws: with the stage that failed; `interrupted` if the stop signal came.
    func run(_ context: RunContext) throws(TrainingError)
}

extension TrainingPlan {
    /// - Throws: what is wrong with the job now that the data are known, with file and line.
    package func prepared() throws(ConfigProblems) -> any PreparedJob {
        switch form {
        case .network: try PreparedTraining(self)
        case .tree(let options): try PreparedTree(self, options)
        case .adversaries(let adversaries): try PreparedAdversaries(self, adversaries)
        }
    }
}

/// Where a job runs.
package struct RunContext {
    package let output: OutputDirectory
    package let events: EventWriter
    package let stop: StopSignal?
    private let threads: Int?

    /// - Parameter threads: what the command line asks for.
    package init(output: OutputDirectory, events: EventWriter, stop: StopSignal?, threads: Int?) {
        self.output = output
        self.events = events
        self.stop = stop
        self.threads = threads
    }

    /// What the command line asks for; else the job's, else its CPUs, as far as they are there. More threads than shards
    /// would have nothing to compute.
    func threads(for plan: TrainingPlan, shards: Int) -> Int {
        max(min(threads ?? plan.threads ?? min(plan.cpus, Processor.usableCount), shards), 1)
    }

    /// From here on there is something to lose: a signal no longer ends the program at once, but asks for an end.
    ///
    /// - Throws: `interrupted` if one came just now.
    func startsWork() throws(TrainingError) {
        stop?.isToBeAsked()
        if stop?.number != nil { throw TrainingError(.interrupted, "stopped on request") }
    }

    /// Tells that the model is there, with what it came to and what it cost.
    func finish(_ lines: [String]) {
        events.write(.artifact(Artifact(kind: "model", path: output.path)))
        events.write(.done)
        for line in lines { events.say(line) }
        events.say("model in \(output.path)")
    }

    static func machine(_ threads: Int) -> String {
        "run     \(threads) of \(Processor.usableCount) CPUs, mltrain for \(Processor.builtFor.rawValue), OpenBLAS for "
            + OpenBLAS.coreName
    }

    static func seconds(since start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start).inSeconds
    }
}
