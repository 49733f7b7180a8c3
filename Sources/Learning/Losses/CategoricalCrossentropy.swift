import Glibc
package import Tensors

/// `-sum over classes of t log softmax(z)`, the mean over samples (and positions), with the softmax of the last layer
/// in it.
///
/// `z [..., classes]`, targets `t [..., classes]`: a distribution over the classes at each position. The gradient is
/// `softmax(z) sum(t) - t`. Smoothing, as in ``SparseCategoricalCrossentropy``, turns `t` into
/// `(1 - s) t + s / classes`.
package struct CategoricalCrossentropy: Loss {
    package let name = "categorical-crossentropy"
    package let fusedActivation: Activation? = .softmax

    /// From 0 to below 1.
    package var labelSmoothing: Float
    /// By which a position's loss is multiplied; its class is the likeliest of its target, as in Keras.
    package var classWeights: [Float]?

    package init(labelSmoothing: Float = 0, classWeights: [Float]? = nil) {
        self.labelSmoothing = labelSmoothing
        self.classWeights = classWeights
    }

    package func targetShape(_ output: Shape) throws(LearningError) -> Shape {
        _ = try LossChecks.withoutClasses(output, loss: name)
        return output
    }

    package func targetsPerPosition(_ output: Shape) -> Int { output.last }

    package func bind(_ output: Tensor) throws(LearningError) -> any LossStep {
        let gradient = try LossChecks.gradient(of: output, loss: name)
        try LossChecks.weights(classWeights, classes: output.shape.last, loss: name)
        try LossChecks.smoothing(labelSmoothing, loss: name)
        return CategoricalCrossentropyStep(
            logits: output.value, gradient: gradient, classes: output.shape.last, positions: output.shape.leading,
            smoothing: labelSmoothing, weights: classWeights)
    }

    package func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError) {
        try LossChecks.targets(samples, in: 0...1, ignored: nil, named: name)
        let classes = output.last
        for position in 0..<(samples.targets.count / classes) {
            var sum: Float = 0
            for j in 0..<classes { sum += samples.targets.base[position * classes + j] }
            if abs(sum - 1) <= 1e-3 { continue }
            throw LearningError(
                .data,
                "\(name) sample \(position * classes / samples.targetShape.count) has a target that sums to \(sum); a "
                    + "distribution over the \(classes) classes sums to 1")
        }
    }

    package func weighted(_ classWeights: [Float]) -> (any Loss)? {
        var copy = self
        copy.classWeights = classWeights
        return copy
    }

    /// The loss of one position, spelt out.
    package func reference(_ logits: [Double], targets: [Double]) -> Double {
        let logs = Activation.softmax.reference(logits).map { log($0) }
        let smoothing = Double(labelSmoothing)
        let loss = -zip(logs, targets).reduce(0) { sum, pair in
            sum + pair.0 * ((1 - smoothing) * pair.1 + smoothing / Double(logs.count))
        }
        let right = targets.indices.reduce(0) { targets[$1] > targets[$0] ? $1 : $0 }
        return loss * Double(classWeights?[right] ?? 1)
    }
}

private struct CategoricalCrossentropyStep: LossStep {
    let logits: Slot
    let gradient: Slot
    let classes: Int
    /// In one sample.
    let positions: Int
    let smoothing: Float
    let weights: [Float]?

    func run(_ frame: Frame, targets: FloatPointer, scale: Float, totals: inout Totals) {
        let rows = frame.rows * positions
        let even = smoothing / Float(classes)
        for row in 0..<rows {
            let z = frame[logits] + row * classes
            let dz = frame[gradient] + row * classes
            let t = targets + row * classes
            var right = 0
            for j in 1..<max(classes, 1) where t[j] > t[right] { right = j }
            let weight = weights?[right] ?? 1
            let largest = SoftmaxRow.largest(z, classes)
            let sum = SoftmaxRow.powers(z, classes, largest: largest, into: dz)
            let log = logf(sum) + largest
            var loss: Float = 0
            var mass: Float = 0
            for j in 0..<classes {
                let target = (1 - smoothing) * t[j] + even
                mass += target
                loss += target * (log - z[j])
            }
            totals.loss += Double(loss * weight)
            totals.correct += SoftmaxRow.isFirstLargest(right, z, largest: largest) ? 1 : 0
            guard frame.isTraining else { continue }
            let scale = scale * weight
            let factor = scale * mass / sum
            let share = scale * (1 - smoothing)
            for j in 0..<classes { dz[j] = factor * dz[j] - share * t[j] - scale * even }
        }
        totals.samples += frame.rows
        totals.positions += rows
    }
}
