package import Tensors

/// `(y - t)²`, the mean over all outputs.
///
/// `y` of any shape, targets of the same (without a last axis of one).
package struct MeanSquaredError: Loss {
    package let name = "mean-squared-error"
    package let fusedActivation: Activation? = nil
    package let countsHits = false

    /// The target of elements without loss and gradient, such as ratings that nobody gave.
    package var ignoring: Float?

    package init(ignoring: Float? = nil) {
        self.ignoring = ignoring
    }

    package var ignoredTarget: Float? { ignoring }

    package func targetShape(_ output: Shape) throws(LearningError) -> Shape { try LossChecks.elements(output) }

    package func bind(_ output: Tensor) throws(LearningError) -> any LossStep {
        ElementwiseStep(
            function: Function(), output: output.value, gradient: try LossChecks.gradient(of: output, loss: name),
            count: output.shape.count, ignored: ignoring)
    }

    package func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError) {
        try LossChecks.targets(
            samples, in: -.greatestFiniteMagnitude ... .greatestFiniteMagnitude, ignored: ignoring, named: name)
    }

    /// The loss of one output, spelt out.
    package func reference(_ y: Double, target: Double) -> Double {
        if let ignoring, Float(target) == ignoring { return 0 }
        return (y - target) * (y - target)
    }

    private struct Function: ElementwiseLoss {
        @inline(__always)
        func evaluate(_ y: Vector, _ t: Vector) -> ElementwiseResult {
            let d = y - t
            return ElementwiseResult(loss: d * d, gradient: d + d, hits: Vector(repeating: 0))
        }
    }
}
