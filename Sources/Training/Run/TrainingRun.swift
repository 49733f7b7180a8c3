import Datasets
import JobAPI
package import Learning
import Tensors

/// One training job from its checked plan to the model directory.
package struct TrainingRun {
    package struct Outcome: Sendable {
        package var fit: Trainer.Result
        package var validation: Evaluation?
        package var test: Evaluation?
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
    /// - Throws: with the stage that failed; `interrupted` if the stop signal came. Then there is a checkpoint to go on
    ///   from, and nothing else is written.
    @discardableResult
    package func run() throws(TrainingError) -> Outcome {
        let plan = prepared.plan
        let clock = ContinuousClock()
        let start = clock.now
        let data = try TrainingData(plan, prepared.outline)
        if stop?.number != nil { throw TrainingError(.interrupted, "stopped on request") }
        events.say(prepared.summary)
        events.say(
            "run     \(threads) of \(Processor.usableCount) CPUs, mltrain for \(Processor.builtFor.rawValue), OpenBLAS for "
                + OpenBLAS.coreName)

        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: threads) })
        let runner = try training { () throws(LearningError) in
            try StepRunner(
                models: prepared.models, optimizer: plan.optimizer, schedule: plan.schedule, clipping: plan.clipping,
                augmentation: data.dataset.augmentation, pool: pool, seed: plan.seed)
        }
        let checkpoints = CheckpointKeeper(output, runner, job: plan.identity, events)
        let resumed = try checkpoints.load()
        let steps = data.train.reduce(0) { $0 + ($1.indices.count + plan.batchSize - 1) / plan.batchSize }
        let observer = RunObserver(events, plan, steps: steps, stop: stop, checkpoints: checkpoints)
        observer.started(at: resumed?.position)
        let trainer = Trainer(
            runner,
            .init(
                epochs: plan.epochs, earlyStopping: plan.earlyStopping, seed: plan.seed,
                checkpointEvery: plan.checkpointEvery))
        let fit = try training { () throws(LearningError) in
            try trainer.fit(
                data.train, validation: data.validation, resuming: resumed?.position, best: resumed?.best,
                observer: observer)
        }
        let evaluator = Evaluator(plan: plan, trainer: trainer, dataset: data.dataset, observer: observer)
        var outcome = Outcome(fit: fit, seconds: 0, threads: threads, samplesSeen: observer.samples)
        if !data.validation.isEmpty { outcome.validation = try evaluator.evaluate(data.validation) }
        if !data.test.isEmpty {
            let test = try evaluator.evaluate(data.test, translating: data.dataset.test)
            outcome.test = test
            observer.report(test, split: "test", epoch: fit.weightsEpoch)
        }
        let elapsed = (clock.now - start).components
        outcome.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
        try ModelDirectory(prepared, outcome, data.dataset, runner).write(to: output)
        checkpoints.remove()
        events.write(.artifact(Artifact(kind: "model", path: output.path)))
        events.write(.done)
        for line in RunSummary(plan, outcome).lines { events.say(line) }
        events.say("model in \(output.path)")
        return outcome
    }
}
