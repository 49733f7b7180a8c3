import JobAPI
package import Learning
import Tensors

/// One training job from its checked plan to the model directory.
package struct TrainingRun {
    package struct Outcome: Sendable {
        package var fit: Trainer.Result
        package var test: Totals?
        package var seconds: Double
        package var threads: Int
        package var samplesSeen: Int
    }

    let prepared: PreparedTraining
    let output: OutputDirectory
    let events: EventWriter
    let stop: StopSignal?
    let threads: Int

    /// - Parameter threads: what the command line asks for; else the job's, else its CPUs, as far as they are there.
    package init(
        _ prepared: PreparedTraining, output: OutputDirectory, events: EventWriter, stop: StopSignal?, threads: Int?
    ) {
        self.prepared = prepared
        self.output = output
        self.events = events
        self.stop = stop
        let plan = prepared.plan
        let wanted = threads ?? plan.threads ?? min(plan.cpus, Processor.usableCount)
        // More threads than shards would have nothing to compute.
        self.threads = max(min(wanted, prepared.model.shards), 1)
    }

    /// Trains, evaluates the test samples once, and writes the model.
    ///
    /// - Throws: with the stage that failed; `interrupted` if the stop signal came. Nothing is written then.
    @discardableResult
    package func run() throws(TrainingError) -> Outcome {
        let plan = prepared.plan
        let model = prepared.model
        let clock = ContinuousClock()
        let start = clock.now
        let data = try TrainingData(prepared)
        if stop?.number != nil { throw TrainingError(.interrupted, "stopped on request") }
        events.say(
            "\(data.train.indices.count) training, \(data.validation?.indices.count ?? 0) validation, "
                + "\(data.test?.indices.count ?? 0) test samples; \(model.plan.learntCount) parameters; "
                + "\(threads) of \(Processor.usableCount) CPUs; OpenBLAS kernels: \(OpenBLAS.coreName)")

        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: threads) })
        let runner = try training { () throws(LearningError) in
            try StepRunner(model: model, optimizer: plan.optimizer, pool: pool, seed: plan.seed)
        }
        let steps = (data.train.indices.count + plan.batchSize - 1) / plan.batchSize
        let observer = RunObserver(events, plan, steps: steps, stop: stop)
        observer.started()
        let trainer = Trainer(
            runner, .init(epochs: plan.epochs, earlyStopping: plan.earlyStopping, seed: plan.seed))
        let fit = try training { () throws(LearningError) in
            try trainer.fit(data.train, validation: data.validation, observer: observer)
        }
        if fit.stoppedEarly {
            events.say("stopped early: \(plan.earlyStopping?.monitor.rawValue ?? "") no longer improves")
        }

        var test: Totals?
        if let selection = data.test {
            let totals = try training { () throws(LearningError) in
                try trainer.evaluate(selection, observer: observer)
            }
            test = totals
            events.say("test" + observer.report("test", "", totals, epoch: fit.weightsEpoch))
        }
        let elapsed = (clock.now - start).components
        let outcome = Outcome(
            fit: fit, test: test, seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18,
            threads: threads, samplesSeen: observer.samples)
        try ModelDirectory(prepared, outcome, data.dataset, runner).write(to: output)
        events.write(.artifact(Artifact(kind: "model", path: output.path)))
        events.write(.done)
        events.say("model in \(output.path), \(fixed(outcome.seconds, 1)) s in all")
        return outcome
    }
}
