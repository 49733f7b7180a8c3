import Datasets
package import Learning
import Tensors

/// What a trained model scores on samples.
package struct Evaluation: Sendable {
    package var totals: Totals
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
        var result = Evaluation(totals: totals)
        let predicted =
            plan.metrics.contains(where: \.needsPredictions)
            ? try predict(selections) : (targets: [], outputs: [], width: 1)
        for metric in plan.metrics {
            let value: Double? = try training { () throws(LearningError) in
                switch metric {
                case .accuracy: totals.accuracy
                case .perplexity: Metrics.perplexity(meanLoss: totals.meanLoss)
                case .bleu: try bleu(selections, buckets)
                case .rmse, .mae, .r2: try number(metric, predicted.targets, predicted.outputs)
                case .auc:
                    try Metrics.rocAUC(
                        targets: predicted.targets.map { $0 == 1 },
                        scores: stride(from: predicted.width - 1, to: predicted.outputs.count, by: predicted.width).map
                        {
                            predicted.outputs[$0]
                        })
                case .precision, .recall, .f1, .confusion:
                    try classes(metric, predicted, &result.confusion)
                }
            }
            if let value { result.values.append((metric.rawValue, value)) }
        }
        return result
    }

    private typealias Predictions = (targets: [Float], outputs: [Float], width: Int)

    private func predict(_ selections: [SampleSelection]) throws(TrainingError) -> Predictions {
        var targets: [Float] = []
        var outputs: [Float] = []
        let width = trainer.runner.model.output.shape.last
        for selection in selections {
            let count = selection.samples.targetShape.count
            for index in selection.indices {
                let from = selection.samples.targets.base + Int(index) * count
                targets += UnsafeBufferPointer(start: from, count: count)
            }
            outputs += try training { () throws(LearningError) in
                let size = try trainer.runner.model(for: selection.samples).output.shape.count
                let buffer = try room(selection.indices.count * size)
                try selection.indices.withUnsafeBufferPointer { rows throws(LearningError) in
                    try trainer.runner.predict(selection.samples, rows, into: buffer.base)
                }
                return buffer.values
            }
        }
        return (targets, outputs, width)
    }

    private func room(_ count: Int) throws(LearningError) -> FloatBuffer {
        do { return try FloatBuffer(count: count) } catch { throw LearningError(error) }
    }

    private func number(
        _ metric: TrainingPlan.MetricName, _ targets: [Float], _ outputs: [Float]
    ) throws(LearningError) -> Double {
        switch metric {
        case .mae: try Metrics.meanAbsoluteError(targets: targets, predictions: outputs)
        case .r2: try Metrics.r2(targets: targets, predictions: outputs)
        default: try Metrics.rootMeanSquaredError(targets: targets, predictions: outputs)
        }
    }

    private func classes(
        _ metric: TrainingPlan.MetricName, _ predicted: Predictions, _ table: inout [[Int]]?
    ) throws(LearningError) -> Double? {
        let width = predicted.width
        // One output for two classes, or one for each.
        let labels = stride(from: 0, to: predicted.outputs.count, by: width).map { start in
            width == 1
                ? (predicted.outputs[start] > 0.5 ? 1 : 0)
                : (0..<width).max { predicted.outputs[start + $0] < predicted.outputs[start + $1] } ?? 0
        }
        let count = max(width, 2)
        let matrix = try ConfusionMatrix(
            targets: predicted.targets.map { Int($0) }, predictions: labels, classes: count)
        // Of two classes, those of the second; of more, the mean over them.
        switch metric {
        case .precision: return count == 2 ? matrix.precision(1) : matrix.macroPrecision
        case .recall: return count == 2 ? matrix.recall(1) : matrix.macroRecall
        case .f1: return count == 2 ? matrix.f1(1) : matrix.macroF1
        default:
            table = (0..<count).map { row in (0..<count).map { matrix[row, $0] } }
            return nil
        }
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
