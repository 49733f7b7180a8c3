import Glibc
package import Tensors

/// `-log softmax(z)[class]`, the mean over samples (and positions), with the softmax of the last layer in it.
///
/// `z [..., classes]`, targets `[...]`: the number of the right class. With `p = softmax(z)`, the gradient is
/// `p - onehot(class)`; the loss itself is `log(sum(exp(z - max z))) + max z - z[class]`, which cannot overflow.
package struct SparseCategoricalCrossentropy: Loss {
    package let name = "sparse-categorical-crossentropy"
    package let fusedActivation: Activation? = .softmax

    package init() {}

    package func targetShape(_ output: Shape) throws(LearningError) -> Shape {
        guard output.rank >= 1 else { throw LearningError(.model, "the loss \(name) needs an axis of classes") }
        return try learning { () throws(TensorError) in try Shape(Array(output.dimensions.dropLast())) }
    }

    package func bind(_ output: Tensor) throws(LearningError) -> any LossStep {
        guard let gradient = output.gradient else {
            throw LearningError(.model, "the loss \(name) needs an output that is learnt")
        }
        return SparseCategoricalCrossentropyStep(
            logits: output.value, gradient: gradient, classes: output.shape.last, positions: output.shape.leading)
    }

    package func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError) {
        let classes = Float(output.last)
        for i in 0..<samples.targets.count {
            let target = samples.targets.base[i]
            if !(target >= 0 && target < classes && target == target.rounded()) {
                throw LearningError(
                    .data,
                    "\(name) sample \(i / samples.targetShape.count) has the class \(target), but the model's last "
                        + "layer has \(output.last) outputs, for classes 0 to \(output.last - 1)")
            }
        }
    }

    /// The loss of one position, spelt out.
    package func reference(_ logits: [Double], target: Int) -> Double {
        -log(Activation.softmax.reference(logits)[target])
    }
}

private struct SparseCategoricalCrossentropyStep: LossStep {
    let logits: Slot
    let gradient: Slot
    let classes: Int
    /// In one sample.
    let positions: Int

    func run(_ frame: Frame, targets: FloatPointer, scale: Float, totals: inout Totals) {
        let rows = frame.rows * positions
        for row in 0..<rows {
            let z = frame[logits] + row * classes
            let target = Int(targets[row])
            var largest = z[0]
            var likeliest = 0
            for j in 1..<max(classes, 1) where z[j] > largest {
                largest = z[j]
                likeliest = j
            }
            // The gradient's place holds the powers until their sum is known.
            let dz = frame[gradient] + row * classes
            var sum: Float = 0
            for j in 0..<classes {
                let power = expf(z[j] - largest)
                dz[j] = power
                sum += power
            }
            totals.loss += Double(logf(sum) + (largest - z[target]))
            totals.correct += likeliest == target ? 1 : 0
            let factor = scale / sum
            for j in 0..<classes { dz[j] *= factor }
            dz[target] -= scale
        }
        totals.samples += frame.rows
        totals.positions += rows
    }
}
