import CKernels
package import Tensors

/// `(y - t)² / 2` near the target, `delta (|y - t| - delta / 2)` beyond `delta`, the mean over all outputs: few far
/// targets do not outweigh all others. Huber, "Robust estimation of a location parameter", 1964.
///
/// `y` of any shape, targets of the same (without a last axis of one).
package struct Huber: Loss {
    package let name = "huber"
    package let fusedActivation: Activation? = nil
    package let countsHits = false

    /// More than 0.
    package var delta: Float
    package var ignoring: Float?

    package init(delta: Float = 1, ignoring: Float? = nil) {
        self.delta = delta
        self.ignoring = ignoring
    }

    package var ignoredTarget: Float? { ignoring }

    package func targetShape(_ output: Shape) throws(LearningError) -> Shape { try LossChecks.elements(output) }

    package func bind(_ output: Tensor) throws(LearningError) -> any LossStep {
        guard delta > 0, delta.isFinite else {
            throw LearningError(.model, "the delta of the loss \(name) is \(delta); it must be more than 0")
        }
        return ElementwiseStep(
            function: Function(delta: delta), output: output.value,
            gradient: try LossChecks.gradient(of: output, loss: name), count: output.shape.count, ignored: ignoring)
    }

    package func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError) {
        try LossChecks.targets(
            samples, in: -.greatestFiniteMagnitude ... .greatestFiniteMagnitude, ignored: ignoring, named: name)
    }

    /// The loss of one output, spelt out.
    package func reference(_ y: Double, target: Double) -> Double {
        if let ignoring, Float(target) == ignoring { return 0 }
        let d = abs(y - target)
        let delta = Double(delta)
        return d <= delta ? d * d / 2 : delta * (d - delta / 2)
    }

    private struct Function: ElementwiseLoss {
        let delta: Float

        @inline(__always)
        func evaluate(_ y: Vector, _ t: Vector) -> ElementwiseResult {
            let d = y - t
            let limit = Vector(repeating: delta)
            // The gradient is the difference cut to ±delta; with it the loss is g (d - g / 2) on both sides.
            let g = mld_min(mld_max(d, Vector(repeating: -delta)), limit)
            return ElementwiseResult(
                loss: g * (d - g * Vector(repeating: 0.5)), gradient: g, hits: Vector(repeating: 0))
        }
    }
}
