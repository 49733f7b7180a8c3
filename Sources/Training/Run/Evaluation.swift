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
            let value: Double? = try training { () throws(LearningError) in
                switch metric {
                case .accuracy: return totals.accuracy
                case .perplexity: return Metrics.perplexity(meanLoss: totals.meanLoss)
                case .bleu: return try bleu(selections, buckets)
                case .confusion:
                    result.confusion = try predictions.confusion()
                    return nil
                default: return try predictions.value(of: metric)
                }
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
        return result
    }

    private func room(_ count: Int) throws(LearningError) -> FloatBuffer {
        do { return try FloatBuffer(count: count) } catch { throw LearningError(error) }
    }

    /// Of greedy translations, against the words of the references, those that the vocabulary does not know too.
    private func bleu(_ selections: [SampleSelection], _ buckets: [Dataset.Bucket]) throws(LearningError) -> Double? {
        guard !buckets.isEmpty, let encoding = dataset.preprocessing.pair, let text = plan.data as? ParallelTextSource,
            let file = text.test, let lines = try? TextFile(file.target, lowerCase: text.lowerCase).words
        else { return nil }
        var sources: [[Float]] = []
        var references: [[String]] = []
        for bucket in buckets {
            let width = bucket.samples.inputs[0].count
            for (place, index) in bucket.indices.enumerated() {
                guard place < bucket.origins.count, lines.indices.contains(Int(bucket.origins[place])) else { continue }
                let row = bucket.samples.features.base + Int(index) * bucket.samples.width
                sources.append(Array(UnsafeBufferPointer(start: row, count: width).prefix { $0 != 0 }))
                references.append(lines[Int(bucket.origins[place])])
            }
        }
        let decoder = GreedyDecoder(runner: trainer.runner, encoding: encoding)
        let translations = try decoder.translate(sources) { observer.wantsStop }
        return try BLEU(translations: translations.map { encoding.decode($0) }, references: references).score
    }
}
