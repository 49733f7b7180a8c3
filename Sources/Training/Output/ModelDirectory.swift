import Datasets
import FoundationEssentials
import JobAPI
import Learning
import Tensors

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
        let files: [(name: String, bytes: [UInt8])]
        do {
            files = [
                (
                    "weights.safetensors",
                    try Safetensors.encode(runner, metadata: ["format": "mltrain", "version": mldVersion])
                ),
                ("preprocess.json", try json(dataset.preprocessing)),
                ("metrics.json", try json(metrics)),
                ("model.toml", Array(modelFile.utf8)),
                ("card.md", Array(card.utf8)),
            ]
        } catch {
            throw TrainingError(.output, "cannot describe the model: \(error)")
        }
        try directory.write(files)
    }

    private func json(_ value: some Encodable) throws -> [UInt8] {
        Array(try JSON.text(value, pretty: true).utf8) + [10]
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
        var test: Figures?
        var durationS: Double
        var samplesSeen: Int
    }

    private func figures(_ totals: Totals) -> Figures {
        Figures(
            samples: totals.samples, loss: totals.meanLoss,
            accuracy: plan.metrics.contains(.accuracy) ? totals.accuracy : nil)
    }

    private var metrics: some Encodable {
        Metrics(
            epochs: outcome.fit.history.map {
                Epoch(
                    epoch: $0.epoch, seconds: $0.seconds, train: figures($0.train),
                    validation: $0.validation.map(figures))
            },
            weightsEpoch: outcome.fit.weightsEpoch, stoppedEarly: outcome.fit.stoppedEarly,
            test: outcome.test.map(figures), durationS: outcome.seconds, samplesSeen: outcome.samplesSeen)
    }
}
