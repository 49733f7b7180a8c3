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

    private let prepared: PreparedTraining
    private let context: RunContext
    private let threads: Int
    private var output: OutputDirectory { context.output }
    private var events: EventWriter { context.events }

    package init(_ prepared: PreparedTraining, _ context: RunContext) {
        self.prepared = prepared
        self.context = context
        threads = context.threads(for: prepared.plan, shards: prepared.model.shards)
    }

    /// Trains, evaluates the test samples once, and writes the model.
    ///
    /// - Throws: with the stage that failed; `interrupted` if the stop signal came. Then there is a checkpoint to go on
    ///   from, and nothing else is written.
    @discardableResult
    package func run() throws(TrainingError) -> Outcome {
        let plan = prepared.plan
        let start = ContinuousClock.now
        let data = try TrainingData(plan, prepared.outline)
        try context.startsWork()
        events.say(prepared.summary)
        events.say(RunContext.machine(threads))

        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: threads) })
        let runner = try training { () throws(LearningError) in
            try StepRunner(
                models: prepared.models, optimizer: plan.optimizer, schedule: plan.schedule, clipping: plan.clipping,
                augmentation: data.dataset.augmentation, pool: pool, seed: plan.seed)
        }
        let trainer = Trainer(
            runner,
            .init(
                epochs: plan.epochs, earlyStopping: plan.earlyStopping, seed: plan.seed,
                checkpointEvery: plan.checkpointEvery))
        let best = try training(arrays: { () throws(TensorError) in try FloatBuffer(count: trainer.keptCount) })
        func state(_ best: FloatBuffer) -> Checkpoint<TrainingPosition>.State {
            [("parameters", runner.parameters), ("moments", runner.moments), ("best", best)]
        }
        let checkpoints = CheckpointKeeper<TrainingPosition>(output, plan, data.dataset, events)
        let resumed = try checkpoints.restore(to: state(best))
        if let resumed { runner.resume(at: resumed.step) }
        let steps = data.train.reduce(0) { $0 + ($1.indices.count + plan.batchSize - 1) / plan.batchSize }
        let observer = RunObserver(events, plan, steps: steps, stop: context.stop) {
            position, best throws(TrainingError) in try checkpoints.save(position, state(best))
        }
        observer.started(at: resumed)
        let fit = try training { () throws(LearningError) in
            try trainer.fit(
                data.train, validation: data.validation, resuming: resumed, best: best, observer: observer)
        }
        let evaluator = Evaluator(plan: plan, trainer: trainer, dataset: data.dataset, observer: observer)
        var outcome = Outcome(fit: fit, seconds: 0, threads: threads, samplesSeen: observer.samples)
        do throws(TrainingError) {
            if !data.validation.isEmpty { outcome.validation = try evaluator.evaluate(data.validation) }
            if !data.test.isEmpty {
                let test = try evaluator.evaluate(data.test, translating: data.dataset.test)
                outcome.test = test
                events.report(test, split: "test", epoch: fit.weightsEpoch)
            }
        } catch {
            // What was learnt outlives a stop between the last epoch and the model.
            if error.stage == .interrupted {
                try training { () throws(LearningError) in try trainer.checkpoint(fit, observer) }
            }
            throw error
        }
        outcome.seconds = RunContext.seconds(since: start)
        try ModelDirectory(prepared, outcome, data.dataset, runner).write(to: output)
        checkpoints.remove()
        let summary = RunSummary(
            plan, outcome.fit, cost: RunCost(seconds: outcome.seconds, samples: outcome.samplesSeen))
        context.finish(summary.lines)
        return outcome
    }
}
