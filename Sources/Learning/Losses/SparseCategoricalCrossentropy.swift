import Glibc
package import Tensors

/// `-log softmax(z)[class]`, the mean over samples (and positions), with the softmax of the last layer in it.
///
/// `z [..., classes]`, targets `[...]`: the number of the right class. With `p = softmax(z)`, the gradient is
/// `p - onehot(class)`; the loss itself is `log(sum(exp(z - max z))) + max z - z[class]`, which cannot overflow.
///
/// With label smoothing `s` the right class counts `1 - s + s / classes` and every other one `s / classes`: Szegedy et
/// al., "Rethinking the Inception architecture for computer vision", 2016.
package struct SparseCategoricalCrossentropy: Loss {
    package let name = "sparse-categorical-crossentropy"
    package let fusedActivation: Activation? = .softmax

    /// The target of positions without loss, gradient and hits, such as padding: a class number, or any other.
    package var ignoring: Float?
    /// From 0 to below 1.
    package var labelSmoothing: Float
    /// By which the losses of each class's positions are multiplied, as Keras's `class_weight`; the mean stays one over
    /// positions.
    package var classWeights: [Float]?

    package init(ignoring: Float? = nil, labelSmoothing: Float = 0, classWeights: [Float]? = nil) {
        self.ignoring = ignoring
        self.labelSmoothing = labelSmoothing
        self.classWeights = classWeights
    }

    package var ignoredTarget: Float? { ignoring }
    package var isLogLikelihood: Bool { labelSmoothing == 0 && classWeights == nil }

    package func targetShape(_ output: Shape) throws(LearningError) -> Shape {
        try LossChecks.withoutClasses(output, loss: name)
    }

    package func bind(_ output: Tensor) throws(LearningError) -> any LossStep {
        let gradient = try LossChecks.gradient(of: output, loss: name)
        try LossChecks.weights(classWeights, classes: output.shape.last, loss: name)
        try LossChecks.smoothing(labelSmoothing, loss: name)
        return SparseCategoricalCrossentropyStep(
            logits: output.value, gradient: gradient, classes: output.shape.last, positions: output.shape.leading,
            ignored: ignoring, smoothing: labelSmoothing, weights: classWeights)
    }

    package func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError) {
        let classes = Float(output.last)
        for i in 0..<samples.targets.count {
            let target = samples.targets.base[i]
            if let ignoring, target == ignoring { continue }
            if !(target >= 0 && target < classes && target == target.rounded()) {
                throw LearningError(
                    .data,
                    "\(name) sample \(i / samples.targetShape.count) has the class \(target), but the model's last "
                        + "layer has \(output.last) outputs, for classes 0 to \(output.last - 1)")
            }
        }
    }

    package func weighted(_ classWeights: [Float]) -> (any Loss)? {
        var copy = self
        copy.classWeights = classWeights
        return copy
    }

    /// The loss of one position, spelt out.
    package func reference(_ logits: [Double], target: Int) -> Double {
        if let ignoring, Float(target) == ignoring { return 0 }
        let logs = Activation.softmax.reference(logits).map { log($0) }
        let smoothing = Double(labelSmoothing)
        let loss = -(1 - smoothing) * logs[target] - smoothing * logs.reduce(0, +) / Double(logs.count)
        return loss * Double(classWeights?[target] ?? 1)
    }
}

private struct SparseCategoricalCrossentropyStep: LossStep {
    let logits: Slot
    let gradient: Slot
    let classes: Int
    /// In one sample.
    let positions: Int
    let ignored: Float?
    let smoothing: Float
    let weights: [Float]?

    func run(_ frame: Frame, targets: FloatPointer, scale: Float, totals: inout Totals) {
        let rows = frame.rows * positions
        for row in 0..<rows {
            let z = frame[logits] + row * classes
            let dz = frame[gradient] + row * classes
            if let ignored, targets[row] == ignored {
                dz.update(repeating: 0, count: classes)
                continue
            }
            let target = Int(targets[row])
            let weight = weights?[target] ?? 1
            let largest = SoftmaxRow.largest(z, classes)
            // The gradient's place holds the powers until their sum is known.
            let sum = SoftmaxRow.powers(z, classes, largest: largest, into: dz)
            var loss = logf(sum) + (1 - smoothing) * (largest - z[target])
            if smoothing > 0 {
                loss -= smoothing / Float(classes) * SoftmaxRow.sum(z, classes, largest: largest)
            }
            totals.loss += Double(loss * weight)
            totals.correct += SoftmaxRow.isFirstLargest(target, z, largest: largest) ? 1 : 0
            totals.positions += 1
            guard frame.isTraining else { continue }
            let scale = scale * weight
            SoftmaxRow.rescale(dz, classes, by: scale / sum, offset: -scale * smoothing / Float(classes))
            dz[target] -= scale * (1 - smoothing)
        }
        totals.samples += frame.rows
    }
}
