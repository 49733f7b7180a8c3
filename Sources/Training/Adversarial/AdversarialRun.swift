import Datasets
import JobAPI
import Learning
import Tensors

/// Trains a generator against a discriminator and writes both.
struct AdversarialRun {
    private let prepared: PreparedAdversaries
    private let context: RunContext

    init(_ prepared: PreparedAdversaries, _ context: RunContext) {
        self.prepared = prepared
        self.context = context
    }

    func run() throws(TrainingError) {
        let plan = prepared.plan
        let events = context.events
        let start = ContinuousClock.now
        let data = try TrainingData(plan, prepared.outline)
        try context.startsWork()
        guard let train = data.train.first, data.train.count == 1 else {
            throw TrainingError(.data, "samples to imitate must all have one shape")
        }
        let threads = context.threads(for: plan, shards: plan.shards)
        events.say(prepared.summary)
        events.say(RunContext.machine(threads))

        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: threads) })
        let trainer = try training { () throws(LearningError) in
            try AdversarialTrainer(
                generator: prepared.generator, discriminator: prepared.discriminator, samples: train.samples,
                optimizers: (plan.optimizer, plan.optimizer), clipping: plan.clipping, batchSize: plan.batchSize,
                shards: plan.shards, pool: pool, seed: plan.seed)
        }
        let checkpoints = CheckpointKeeper<AdversarialPosition>(context.output, plan, data.dataset, events)
        let resumed = try checkpoints.restore(to: trainer.state)
        if let resumed { trainer.resume(at: resumed.step) }
        let picture = SamplePicture(trainer: trainer, preprocessing: data.dataset.preprocessing)
        let observer = Observer(
            context: context, plan: plan, trainer: trainer, checkpoints: checkpoints, picture: picture,
            steps: train.indices.count / plan.batchSize)
        let history = try training { () throws(LearningError) in
            try trainer.fit(
                train.indices, epochs: plan.epochs, resuming: resumed, checkpointEvery: plan.checkpointEvery,
                observer: observer)
        }
        let seconds = RunContext.seconds(since: start)
        try AdversarialDirectory(
            prepared: prepared, trainer: trainer, dataset: data.dataset, history: history, seconds: seconds
        ).write(to: context.output)
        checkpoints.remove()
        context.finish([RunCost(seconds: seconds, samples: observer.samples).line])
    }

    /// Turns the trainer's calls into events, lines, pictures and checkpoints.
    private final class Observer: AdversarialObserver {
        private let context: RunContext
        private let plan: TrainingPlan
        private let trainer: AdversarialTrainer
        private let checkpoints: CheckpointKeeper<AdversarialPosition>
        private let picture: SamplePicture
        private let progress: ProgressReporter

        init(
            context: RunContext, plan: TrainingPlan, trainer: AdversarialTrainer,
            checkpoints: CheckpointKeeper<AdversarialPosition>, picture: SamplePicture, steps: Int
        ) {
            self.context = context
            self.plan = plan
            self.trainer = trainer
            self.checkpoints = checkpoints
            self.picture = picture
            progress = ProgressReporter(context.events, epochs: plan.epochs, steps: steps)
        }

        var samples: Int { progress.samples }
        var wantsStop: Bool { context.stop?.number != nil }

        func stepped(epoch: Int, step: Int, samples: Int) {
            progress.stepped(epoch: epoch, step: step, samples: samples)
        }

        func ended(_ epoch: AdversarialEpoch) throws(LearningError) {
            progress.ended(epoch: epoch.epoch)
            let losses = epoch.losses
            func metric(_ name: String, _ value: Double) {
                context.events.write(.metric(Metric(name: name, split: "train", value: value, epoch: epoch.epoch)))
            }
            metric("generator-loss", losses.generator.meanLoss)
            metric("discriminator-loss", losses.discriminator.meanLoss)
            metric("discriminator-accuracy", losses.discriminator.accuracy)
            context.events.say(
                "epoch \(epoch.epoch)/\(plan.epochs)  generator loss \(fixed(losses.generator.meanLoss, 4))  "
                    + "discriminator loss \(fixed(losses.discriminator.meanLoss, 4))  accuracy "
                    + "\(fixed(losses.discriminator.accuracy, 4))  \(fixed(epoch.seconds, 2)) s")
            do { try picture.write(to: context.output) } catch { throw LearningError(.system, error.message) }
        }

        func checkpoint(_ position: AdversarialPosition) throws(LearningError) {
            do { try checkpoints.save(position, trainer.state) } catch {
                throw LearningError(.system, error.message)
            }
        }
    }
}
