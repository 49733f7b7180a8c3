import Datasets
import Glibc
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

    private var loss: any Loss { trainer.runner.model.loss }

    /// - Parameter buckets: those the selections were made of, where translations of their lines are to be judged.
    func evaluate(_ selections: [SampleSelection], translating buckets: [Dataset.Bucket] = []) throws(TrainingError)
        -> Evaluation
    {
        let totals = try training { () throws(LearningError) in try trainer.evaluate(selections, observer: observer) }
        var result = Evaluation(samples: totals.samples, loss: totals.meanLoss)
        let isNeeded = plan.metrics.contains { $0.needsPredictions || ($0 == .accuracy && !loss.countsHits) }
        let predictions = isNeeded ? try predict(selections) : Predictions()
        for metric in plan.metrics {
            let value: Double?
            switch metric {
            case .accuracy: value = loss.countsHits ? totals.accuracy : predictions.accuracy
            case .perplexity:
                let mean = loss.isLogLikelihood ? totals.meanLoss : try meanNegativeLogLikelihood(selections)
                value = Metrics.perplexity(meanLoss: mean)
            case .bleu: value = try bleu(buckets)
            case .confusion:
                result.confusion = try training { () throws(LearningError) in try predictions.confusion() }
                value = nil
            default: value = try training { () throws(LearningError) in try predictions.value(of: metric) }
            }
            // A figure too large to be written is none.
            if let value, value.isFinite { result.values.append((metric.rawValue, value)) }
        }
        return result
    }

    private func predict(_ selections: [SampleSelection]) throws(TrainingError) -> Predictions {
        var result = Predictions(width: trainer.runner.model.output.shape.last)
        try eachBatch(selections) { targets, outputs in
            result.targets += targets
            result.outputs += outputs
        }
        if let ignored = loss.ignoredTarget { result.leaveOut(ignored) }
        return result
    }

    /// Of the probabilities that the right classes are given, whatever the loss makes of them.
    private func meanNegativeLogLikelihood(_ selections: [SampleSelection]) throws(TrainingError) -> Double {
        let width = trainer.runner.model.output.shape.last
        var (sum, count) = (0.0, 0)
        try eachBatch(selections) { targets, outputs in
            for (index, target) in targets.enumerated() where target != loss.ignoredTarget {
                let probability =
                    width > 1 ? outputs[index * width + Int(target)] : target == 1 ? outputs[index] : 1 - outputs[index]
                sum -= log(Double(probability))
                count += 1
            }
        }
        return sum / Double(max(count, 1))
    }

    /// Gives the targets and the outputs of each batch.
    ///
    /// - Throws: `interrupted` between two batches if that is asked for.
    private func eachBatch(
        _ selections: [SampleSelection], _ body: (ArraySlice<Float>, UnsafeBufferPointer<Float>) -> Void
    ) throws(TrainingError) {
        let runner = trainer.runner
        for selection in selections {
            let samples = selection.samples
            let width = samples.targetShape.count
            try training { () throws(LearningError) in
                let size = try runner.model(for: samples).output.shape.count
                let outputs = try room(runner.model.batchSize * size)
                var start = 0
                while start < selection.indices.count {
                    let part = selection.indices[start..<min(start + runner.model.batchSize, selection.indices.count)]
                    try part.withUnsafeBufferPointer { rows throws(LearningError) in
                        try runner.predict(samples, rows, into: outputs.base)
                    }
                    var targets: [Float] = []
                    for index in part {
                        let from = samples.targets.base + Int(index) * width
                        targets += UnsafeBufferPointer(start: from, count: width)
                    }
                    body(targets[...], UnsafeBufferPointer(start: outputs.base, count: part.count * size))
                    if observer.wantsStop { throw LearningError(.interrupted, "stopped on request while testing") }
                    start = part.endIndex
                }
            }
        }
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
