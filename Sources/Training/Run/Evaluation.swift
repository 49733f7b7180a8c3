import Datasets
import Learning
import Tensors

/// What a trained model scores on samples.
package struct Evaluation: Sendable {
    package var samples: Int
    /// The mean; nil for models that were not trained by one.
    package var loss: Double?
    /// By the metrics' names, in the order asked for.
    package var values: [(name: String, value: Double)] = []
    /// `[target][prediction]`
    package var confusion: [[Int]]?

    func value(_ name: String) -> Double? { values.first { $0.name == name }?.value }
}

/// Computes them.
struct Evaluator {
    let plan: TrainingPlan
    let trainer: Trainer
    let dataset: Dataset
    let observer: any TrainingObserver

    /// - Parameter buckets: those the selections were made of, where translations of their lines are to be judged.
    func evaluate(_ selections: [SampleSelection], translating buckets: [Dataset.Bucket] = []) throws(TrainingError)
        -> Evaluation
    {
        let totals = try training { () throws(LearningError) in try trainer.evaluate(selections, observer: observer) }
        var result = Evaluation(samples: totals.samples, loss: totals.meanLoss)
        let predictions = plan.metrics.contains(where: \.needsPredictions) ? try predict(selections) : Predictions()
        for metric in plan.metrics {
            let value: Double?
            switch metric {
            case .accuracy: value = totals.accuracy
            case .perplexity: value = Metrics.perplexity(meanLoss: totals.meanLoss)
            case .bleu: value = try bleu(buckets)
            case .confusion:
                result.confusion = try training { () throws(LearningError) in try predictions.confusion() }
                value = nil
            default: value = try training { () throws(LearningError) in try predictions.value(of: metric) }
            }
            if let value { result.values.append((metric.rawValue, value)) }
        }
        return result
    }

    private func predict(_ selections: [SampleSelection]) throws(TrainingError) -> Predictions {
        var result = Predictions(width: trainer.runner.model.output.shape.last)
        for selection in selections {
            let count = selection.samples.targetShape.count
            for index in selection.indices {
                let from = selection.samples.targets.base + Int(index) * count
                result.targets += UnsafeBufferPointer(start: from, count: count)
            }
            result.outputs += try training { () throws(LearningError) in
                let size = try trainer.runner.model(for: selection.samples).output.shape.count
                let buffer = try room(selection.indices.count * size)
                try selection.indices.withUnsafeBufferPointer { rows throws(LearningError) in
                    try trainer.runner.predict(selection.samples, rows, into: buffer.base)
                }
                return buffer.values
            }
        }
        if let ignored = trainer.runner.model.loss.ignoredTarget { result.leaveOut(ignored) }
        return result
    }

    private func room(_ count: Int) throws(LearningError) -> FloatBuffer {
        do { return try FloatBuffer(count: count) } catch { throw LearningError(error) }
    }

    /// Of greedy translations, against the words of the references, those that the vocabulary does not know too.
    private func bleu(_ buckets: [Dataset.Bucket]) throws(TrainingError) -> Double? {
        guard !buckets.isEmpty, let encoding = dataset.preprocessing.pair, let text = plan.data as? ParallelTextSource
        else { return nil }
        // Without files of their own the test sentences are lines of the training files.
        let file = (text.test ?? text.train).target
        let lines = try training { () throws(DatasetError) in try TextFile(file, lowerCase: text.lowerCase).words }
        var sources: [[Float]] = []
        var references: [[String]] = []
        for bucket in buckets {
            let width = bucket.samples.inputs[0].count
            for (origin, index) in zip(bucket.origins, bucket.indices) {
                guard lines.indices.contains(Int(origin)) else {
                    throw TrainingError(.data, "\(file) has become shorter than it was when it was first read")
                }
                let row = bucket.samples.features.base + Int(index) * bucket.samples.width
                sources.append(Array(UnsafeBufferPointer(start: row, count: width).prefix { $0 != 0 }))
                references.append(lines[Int(origin)])
            }
        }
        return try training { () throws(LearningError) in
            let decoder = GreedyDecoder(runner: trainer.runner, encoding: encoding)
            let translations = try decoder.translate(sources) { observer.wantsStop }
            return try BLEU(translations: translations.map { encoding.decode($0) }, references: references).score
        }
    }
}
