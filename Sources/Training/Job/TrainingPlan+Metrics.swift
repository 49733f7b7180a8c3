import Datasets
import Learning

// train.metrics
extension TrainingPlan {
    /// What is reported of a model besides its loss.
    package enum MetricName: String, CaseIterable, Sendable {
        case accuracy
        case precision
        case recall
        case f1
        /// The area under the receiver operating characteristic, of two classes.
        case auc
        case confusion
        case perplexity
        case rmse
        case mae
        case r2
        /// Of greedy translations of the test samples.
        case bleu

        /// It is computed from all predictions together, after training, and not from sums of batches.
        var needsPredictions: Bool {
            switch self {
            case .accuracy, .perplexity, .bleu: false
            case .precision, .recall, .f1, .auc, .confusion, .rmse, .mae, .r2: true
            }
        }
    }

    /// What of the metrics asked for has no meaning for these data.
    func metricProblems(_ outline: DatasetOutline) -> [String] {
        metrics.compactMap { metric in
            let what = "train.metrics: \(metric.rawValue) "
            switch metric {
            case .perplexity where !loss.countsHits:
                return what + "is of probabilities, which a cross-entropy makes good ones"
            case .accuracy, .precision, .recall, .f1, .confusion, .perplexity:
                return outline.classes == nil ? what + "is of classes, but the targets are numbers" : nil
            case .auc:
                return outline.classes == 2 ? nil : what + "is of two classes"
            case .rmse, .mae, .r2:
                return outline.classes == nil ? nil : what + "is of numbers, but the targets are classes"
            case .bleu:
                return outline.loaded?.preprocessing.pair == nil ? what + "is of translations" : nil
            }
        }
    }
}
