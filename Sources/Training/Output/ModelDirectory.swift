import Datasets
import FoundationEssentials
import JobAPI
import Learning
import Tensors
import Units

/// What is kept of a training job: `model.toml`, `weights.safetensors`, `preprocess.json`, `metrics.json`, `card.md`.
struct ModelDirectory {
    let prepared: PreparedTraining
    let outcome: TrainingRun.Outcome
    let dataset: Dataset
    let runner: StepRunner

    init(
        _ prepared: PreparedTraining, _ outcome: TrainingRun.Outcome, _ dataset: Dataset, _ runner: StepRunner
    ) {
        self.prepared = prepared
        self.outcome = outcome
        self.dataset = dataset
        self.runner = runner
    }

    var plan: TrainingPlan { prepared.plan }
    var model: CompiledModel { prepared.model }

    func write(to directory: OutputDirectory) throws(TrainingError) {
        try directory.write(dataset.preprocessing, metrics: metrics, model: modelFile, card: card) {
            [try Weights.file(runner)]
        }
    }

    // MARK: - metrics.json

    private struct Figures: Encodable {
        var samples: Int
        var loss: Double
        var accuracy: Double?
    }

    private struct Epoch: Encodable {
        var epoch: Int
        var seconds: Double
        var train: Figures
        var validation: Figures?
    }

    private struct Metrics: Encodable {
        var epochs: [Epoch]
        var weightsEpoch: Int
        var stoppedEarly: Bool
        var validation: Evaluation?
        var test: Evaluation?
        var durationS: Double
        var samplesSeen: Int
    }

    private func figures(_ totals: Totals) -> Figures {
        Figures(
            samples: totals.samples, loss: totals.meanLoss,
            accuracy: plan.reportsAccuracy ? totals.accuracy : nil)
    }

    private var metrics: some Encodable {
        Metrics(
            epochs: outcome.fit.history.map {
                Epoch(
                    epoch: $0.epoch, seconds: $0.seconds, train: figures($0.train),
                    validation: $0.validation.map(figures))
            },
            weightsEpoch: outcome.fit.weightsEpoch, stoppedEarly: outcome.fit.stoppedEarly,
            validation: outcome.validation, test: outcome.test,
            durationS: outcome.seconds, samplesSeen: outcome.samplesSeen)
    }

    // MARK: - model.toml and card.md

    private var modelFile: ModelFile {
        var file = ModelFile(plan)
        file.add("input-shape", "[\(model.input.shape.dimensions.map(String.init).joined(separator: ", "))]")
        file.add("parameters", "\(model.plan.learntCount)")
        file.add("model.layer", plan.layers)
        return file
    }

    private var card: ModelCard {
        var card = ModelCard(
            plan,
            "A model for \(plan.task.rawValue), trained by mltrain \(mldVersion) with OpenBLAS "
                + "on \(outcome.threads) thread\(outcome.threads == 1 ? "" : "s") in \(fixed(outcome.seconds, 1)) s.")
        card.addData(plan, prepared.outline, dataset)
        card.add(
            "Model",
            zip(model.network.nodes, prepared.shapes).map { "`\($0.name)`: \($0.layer.kind), output \($1)" } + [
                "\(model.plan.learntCount) parameters, 32-bit floats"
            ])
        card.add(
            "Training",
            [
                "\(plan.loss.name), optimizer \(plan.optimizer.name), batch size \(plan.batchSize), seed \(plan.seed), "
                    + "\(model.shards) shards",
                "\(outcome.fit.history.count) of \(plan.epochs) epochs"
                    + (outcome.fit.stoppedEarly ? ", stopped early" : "")
                    + "; the weights are those after epoch \(outcome.fit.weightsEpoch)",
            ])
        var rows: [ModelCard.Row] = []
        func add(_ name: String, _ totals: Totals) {
            rows.append(
                .init(
                    name: name, samples: totals.samples, loss: totals.meanLoss,
                    accuracy: plan.reportsAccuracy ? totals.accuracy : nil))
        }
        if let epoch = outcome.fit.history.first(where: { $0.epoch == outcome.fit.weightsEpoch }) {
            add("training (while it learned)", epoch.train)
            if let validation = epoch.validation { add("validation", validation) }
        }
        card.addResults(rows, test: outcome.test)
        return card
    }
}
