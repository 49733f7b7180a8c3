import Learning

/// What a model said of samples and what was right: all of them together, for the metrics that are no sums over batches.
struct Predictions {
    var targets: [Float] = []
    /// `[targets][width]`: one probability for each class, or one of the second of two, or a number.
    var outputs: [Float] = []
    var width = 1

    /// Leaves out the predictions for targets of this value, as the loss does that was told to ignore it.
    mutating func leaveOut(_ ignored: Float) {
        // Of numbers there is one output a target, of classes there are several.
        let step = max(outputs.count / max(targets.count, 1), 1)
        let kept = targets.indices.filter { targets[$0] != ignored }
        outputs = kept.flatMap { outputs[($0 * step)..<(($0 + 1) * step)] }
        targets = kept.map { targets[$0] }
    }

    /// Nil for metrics that are none of these, where no target counts, and for the area under a curve that one class alone
    /// does not have.
    func value(of metric: TrainingPlan.MetricName) throws(LearningError) -> Double? {
        if targets.isEmpty { return nil }
        return switch metric {
        case .mae: try Metrics.meanAbsoluteError(targets: targets, predictions: outputs)
        case .rmse: try Metrics.rootMeanSquaredError(targets: targets, predictions: outputs)
        case .r2: try Metrics.r2(targets: targets, predictions: outputs)
        case .auc where Set(targets.map { $0 == 1 }).count < 2: nil
        case .auc: try Metrics.rocAUC(targets: targets.map { $0 == 1 }, scores: scores)
        // Of two classes, those of the second; of more, the mean over them.
        case .precision: try matrix { $0.classes == 2 ? $0.precision(1) : $0.macroPrecision }
        case .recall: try matrix { $0.classes == 2 ? $0.recall(1) : $0.macroRecall }
        case .f1: try matrix { $0.classes == 2 ? $0.f1(1) : $0.macroF1 }
        case .accuracy, .perplexity, .bleu, .confusion: nil
        }
    }

    /// `[target][prediction]`
    func confusion() throws(LearningError) -> [[Int]]? {
        if targets.isEmpty { return nil }
        return try matrix { matrix in
            (0..<matrix.classes).map { row in (0..<matrix.classes).map { matrix[row, $0] } }
        }
    }

    /// The part of predictions that are right.
    var accuracy: Double {
        let right = zip(targets, labels).count { Int($0) == $1 }
        return Double(right) / Double(max(targets.count, 1))
    }

    /// The class of each, of equally likely ones the first.
    private var labels: [Int] {
        stride(from: 0, to: outputs.count, by: width).map { start in
            width == 1
                ? (outputs[start] > 0.5 ? 1 : 0)
                : (0..<width).max { outputs[start + $0] < outputs[start + $1] } ?? 0
        }
    }

    /// How likely the last class is.
    private var scores: [Float] { stride(from: width - 1, to: outputs.count, by: width).map { outputs[$0] } }

    private func matrix<T>(_ body: (ConfusionMatrix) -> T) throws(LearningError) -> T {
        body(
            try ConfusionMatrix(
                targets: targets.map { Int($0) }, predictions: labels, classes: max(width, 2)))
    }
}
