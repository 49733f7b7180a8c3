/// Weights of classes in a loss.
package enum ClassWeights {
    /// Weights that give every class the same part in the loss: `samples / (classes × samples of the class)`, as
    /// scikit-learn's `class_weight = "balanced"` (King and Zeng, "Logistic regression in rare events data", 2001).
    /// A class that does not occur weighs 1: it has no loss to multiply.
    package static func balanced(_ counts: [Int]) -> [Float] {
        let total = Double(counts.reduce(0, +))
        return counts.map { $0 == 0 ? 1 : Float(total / (Double(counts.count) * Double($0))) }
    }
}
