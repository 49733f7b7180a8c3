import CKernels
package import Tensors

/// `|y - t|`, the mean over all outputs.
///
/// `y` of any shape, targets of the same (without a last axis of one). The gradient is the sign of the difference, 0 at 0.
package struct MeanAbsoluteError: Loss {
    package let name = "mean-absolute-error"
    package let fusedActivation: Activation? = nil
    package let countsHits = false

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
        return abs(y - target)
    }

    private struct Function: ElementwiseLoss {
        @inline(__always)
        func evaluate(_ y: Vector, _ t: Vector) -> ElementwiseResult {
            let (zero, one) = (Vector(repeating: 0), Vector(repeating: 1))
            let d = y - t
            // The last choice keeps a NaN, which is neither above nor below.
            let sign = mld_select_positive(d, one, mld_select_positive(zero - d, zero - one, d))
            return ElementwiseResult(loss: mld_max(d, zero - d), gradient: sign, hits: zero)
        }
    }
}
