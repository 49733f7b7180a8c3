import Glibc

/// Measures of predictions against what was right. Pure functions; sums are in double precision.
package enum Metrics {
    /// The part of predictions that equal their targets.
    package static func accuracy(targets: [Int], predictions: [Int]) throws(LearningError) -> Double {
        try MetricChecks.pairs(targets.count, predictions.count)
        return Double(zip(targets, predictions).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }) / Double(targets.count)
    }

    /// `e^loss`, where the loss is the mean negative logarithm of the probability given to each right token: as uncertain
    /// as a fair choice among this many. Jelinek et al., "Perplexity: a measure of the difficulty of speech recognition
    /// tasks", 1977.
    package static func perplexity(meanLoss: Double) -> Double { exp(meanLoss) }

    /// `sqrt(mean (y - t)²)`
    package static func rootMeanSquaredError(targets: [Float], predictions: [Float]) throws(LearningError) -> Double {
        try MetricChecks.pairs(targets.count, predictions.count)
        return (squaredError(targets, predictions) / Double(targets.count)).squareRoot()
    }

    /// `mean |y - t|`
    package static func meanAbsoluteError(targets: [Float], predictions: [Float]) throws(LearningError) -> Double {
        try MetricChecks.pairs(targets.count, predictions.count)
        return zip(targets, predictions).reduce(0) { $0 + abs(Double($1.1) - Double($1.0)) } / Double(targets.count)
    }

    /// The part of the targets' variance that the predictions explain, `1 - sum (y - t)² / sum (t - mean t)²`: Wright,
    /// "Correlation and causation", 1921. Of constant targets: 1 if all are met, else 0, as in scikit-learn.
    package static func r2(targets: [Float], predictions: [Float]) throws(LearningError) -> Double {
        try MetricChecks.pairs(targets.count, predictions.count)
        let mean = targets.reduce(0) { $0 + Double($1) } / Double(targets.count)
        let spread = targets.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        let error = squaredError(targets, predictions)
        if spread == 0 { return error == 0 ? 1 : 0 }
        return 1 - error / spread
    }

    private static func squaredError(_ targets: [Float], _ predictions: [Float]) -> Double {
        zip(targets, predictions).reduce(0) { sum, pair in
            let difference = Double(pair.1) - Double(pair.0)
            return sum + difference * difference
        }
    }

    /// The area under the curve of true against false positives: the chance that a positive sample scores higher than a
    /// negative one, ties counting half. By ranks (ties share their mean rank), as the statistic of Mann and Whitney,
    /// 1947: `(R - p (p + 1) / 2) / (p n)` with R the sum of the positives' ranks. Hanley and McNeil, "The meaning and use
    /// of the area under a receiver operating characteristic (ROC) curve", 1982.
    ///
    /// - Throws: `data` if only one of the two is there, or a score is not a number.
    package static func rocAUC(targets: [Bool], scores: [Float]) throws(LearningError) -> Double {
        try MetricChecks.pairs(targets.count, scores.count)
        guard !scores.contains(where: \.isNaN) else { throw LearningError(.data, "a score is not a number") }
        let positives = targets.count { $0 }
        let negatives = targets.count - positives
        guard positives > 0, negatives > 0 else {
            throw LearningError(.data, "the area under the ROC curve needs samples of both classes")
        }
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var rankSum = 0.0
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            // Ranks count from 1: those from start + 1 to end.
            let rank = Double(start + 1 + end) / 2
            for i in start..<end where targets[order[i]] { rankSum += rank }
            start = end
        }
        let (p, n) = (Double(positives), Double(negatives))
        return (rankSum - p * (p + 1) / 2) / (p * n)
    }
}

enum MetricChecks {
    static func pairs(_ targets: Int, _ predictions: Int) throws(LearningError) {
        guard targets == predictions else {
            throw LearningError(.data, "\(predictions) predictions for \(targets) targets")
        }
        guard targets > 0 else { throw LearningError(.data, "there is nothing to measure") }
    }
}
