import Datasets
import JobAPI
import Learning
import Tensors
import Units

/// What is kept of a generator and a discriminator; `samples.png` is written while they learn.
struct AdversarialDirectory {
    let prepared: PreparedAdversaries
    let trainer: AdversarialTrainer
    let dataset: Dataset
    let history: [AdversarialEpoch]
    let seconds: Double

    private struct Metrics: Encodable {
        struct Epoch: Encodable {
            var epoch: Int
            var seconds: Double
            var generatorLoss: Double
            var discriminatorLoss: Double
            var discriminatorAccuracy: Double
        }
        var epochs: [Epoch]
        var durationS: Double
    }

    func write(to directory: OutputDirectory) throws(TrainingError) {
        let metrics = Metrics(
            epochs: history.map {
                .init(
                    epoch: $0.epoch, seconds: $0.seconds, generatorLoss: $0.losses.generator.meanLoss,
                    discriminatorLoss: $0.losses.discriminator.meanLoss,
                    discriminatorAccuracy: $0.losses.discriminator.accuracy)
            }, durationS: seconds)
        try directory.write(dataset.preprocessing, metrics: metrics, model: modelFile, card: card) {
            [try Weights.file(trainer.chain)]
        }
    }

    private var modelFile: ModelFile {
        var file = ModelFile(prepared.plan)
        file.beginTable("model")
        file.add("latent", "\(prepared.adversaries.latent)")
        file.add("model.generator", prepared.adversaries.generator)
        file.add("model.discriminator", prepared.adversaries.discriminator)
        return file
    }

    private var card: ModelCard {
        let plan = prepared.plan
        var card = ModelCard(
            plan,
            "A generator and a discriminator, trained against each other by mltrain \(mldVersion) with OpenBLAS in "
                + "\(fixed(seconds, 1)) s.")
        card.addData(plan, prepared.outline, dataset)
        card.add(
            "Model",
            [
                "the generator makes a sample from \(prepared.adversaries.latent) normal numbers",
                "\(trainer.chain.model.plan.learntCount) parameters in both, 32-bit floats",
            ])
        card.add(
            "Training",
            [
                "binary cross-entropy, the generator's samples presented as real (non-saturating), optimizer "
                    + "\(plan.optimizer.name) for both, batches of \(plan.batchSize) real and as many made samples, "
                    + "seed \(plan.seed), \(plan.shards) shards",
                "\(history.count) epochs",
            ])
        if let last = history.last {
            card.add(
                "Results",
                [
                    "in the last epoch: generator loss \(fixed(last.losses.generator.meanLoss, 4)), discriminator loss "
                        + "\(fixed(last.losses.discriminator.meanLoss, 4)), discriminator right about "
                        + "\(fixed(100 * last.losses.discriminator.accuracy, 1)) %"
                ])
        }
        return card
    }
}
