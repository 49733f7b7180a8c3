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
                (Weights.fileName, try Weights.encode(runner)),
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

    /// A trained model's scores, each under its metric's name.
    private struct Scores: Encodable {
        var evaluation: Evaluation

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(evaluation.totals.samples, forKey: Key("samples"))
            try container.encode(evaluation.totals.meanLoss, forKey: Key("loss"))
            for (name, value) in evaluation.values { try container.encode(value, forKey: Key(name)) }
            try container.encodeIfPresent(evaluation.confusion, forKey: Key("confusion"))
        }
    }

    private struct Metrics: Encodable {
        var epochs: [Epoch]
        var weightsEpoch: Int
        var stoppedEarly: Bool
        var validation: Scores?
        var test: Scores?
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
            validation: outcome.validation.map(Scores.init), test: outcome.test.map(Scores.init),
            durationS: outcome.seconds, samplesSeen: outcome.samplesSeen)
    }
}
