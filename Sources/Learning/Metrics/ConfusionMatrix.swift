/// How often each class was taken for each other one, and what follows from it.
///
/// Quotients without a denominator (a class never predicted, or never there) are 0, as in scikit-learn.
package struct ConfusionMatrix: Hashable, Sendable {
    package let classes: Int
    /// `[right class][predicted class]`
    package private(set) var counts: [Int]

    package init(classes: Int) {
        self.classes = max(classes, 1)
        counts = [Int](repeating: 0, count: self.classes * self.classes)
    }

    /// - Throws: `data` if there are not as many predictions as targets, or one is not among the classes.
    package init(targets: [Int], predictions: [Int], classes: Int) throws(LearningError) {
        self.init(classes: classes)
        try MetricChecks.pairs(targets.count, predictions.count)
        for (target, prediction) in zip(targets, predictions) {
            guard (0..<self.classes).contains(target), (0..<self.classes).contains(prediction) else {
                throw LearningError(
                    .data, "class \(target), predicted as \(prediction), is not among the \(self.classes) classes")
            }
            add(target: target, prediction: prediction)
        }
    }

    /// Both must be among the classes.
    package mutating func add(target: Int, prediction: Int) { counts[target * classes + prediction] += 1 }

    package subscript(target: Int, prediction: Int) -> Int { counts[target * classes + prediction] }

    package var total: Int { counts.reduce(0, +) }
    package var correct: Int { (0..<classes).reduce(0) { $0 + self[$1, $1] } }

    /// How often this class was the right one.
    package func support(_ label: Int) -> Int { (0..<classes).reduce(0) { $0 + self[label, $1] } }
    /// How often this class was predicted.
    package func predicted(_ label: Int) -> Int { (0..<classes).reduce(0) { $0 + self[$1, label] } }

    /// The part of predictions that are right.
    package var accuracy: Double { ratio(correct, total) }

    /// Of the predictions of this class the part that is right: `TP / (TP + FP)`.
    package func precision(_ label: Int) -> Double { ratio(self[label, label], predicted(label)) }

    /// Of the samples of this class the part that was found: `TP / (TP + FN)`.
    package func recall(_ label: Int) -> Double { ratio(self[label, label], support(label)) }

    /// The harmonic mean of both, `2 TP / (2 TP + FP + FN)`: van Rijsbergen, "Information retrieval", 1979. With two
    /// classes, that of class 1 is what is meant by F1 without more words.
    package func f1(_ label: Int) -> Double { ratio(2 * self[label, label], support(label) + predicted(label)) }

    /// Means over the classes, each counting the same.
    package var macroPrecision: Double { mean(precision) }
    package var macroRecall: Double { mean(recall) }
    package var macroF1: Double { mean(f1) }

    /// Classes that are neither there nor predicted do not count.
    private func mean(_ value: (Int) -> Double) -> Double {
        let present = (0..<classes).filter { support($0) + predicted($0) > 0 }
        return present.isEmpty ? 0 : present.reduce(0) { $0 + value($1) } / Double(present.count)
    }

    private func ratio(_ a: Int, _ b: Int) -> Double { b == 0 ? 0 : Double(a) / Double(b) }
}
