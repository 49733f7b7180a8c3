import CKernels
import Glibc
package import Tensors

/// `-(t log p + (1 - t) log(1 - p))` with `p = sigmoid(z)`, the mean over all outputs, with the sigmoid of the last layer
/// in it.
///
/// `z` of any shape, targets of the same (without a last axis of one), each from 0 to 1. The loss is computed as
/// `max(z, 0) - z t + log(1 + e^-|z|)`, which neither overflows nor loses small losses; the gradient is `p - t`. A hit
/// is a probability on the same side of 0.5 as the target.
package struct BinaryCrossentropy: Loss {
    package let name = "binary-crossentropy"
    package let fusedActivation: Activation? = .sigmoid

    /// The target of elements without loss, gradient and hits, such as padding.
    package var ignoring: Float?
    /// `s` turns targets into `(1 - s) t + s / 2`; from 0 to below 1.
    package var labelSmoothing: Float
    /// By which the losses of targets 0 and 1 are multiplied; between them, in proportion.
    package var classWeights: [Float]?

    package init(ignoring: Float? = nil, labelSmoothing: Float = 0, classWeights: [Float]? = nil) {
        self.ignoring = ignoring
        self.labelSmoothing = labelSmoothing
        self.classWeights = classWeights
    }

    package var ignoredTarget: Float? { ignoring }
    package var isLogLikelihood: Bool { labelSmoothing == 0 && classWeights == nil }

    package func targetShape(_ output: Shape) throws(LearningError) -> Shape { try LossChecks.elements(output) }

    package func bind(_ output: Tensor) throws(LearningError) -> any LossStep {
        let gradient = try LossChecks.gradient(of: output, loss: name)
        try LossChecks.weights(classWeights, classes: 2, loss: name)
        try LossChecks.smoothing(labelSmoothing, loss: name)
        let weights = classWeights ?? [1, 1]
        return ElementwiseStep(
            function: Function(
                keep: 1 - labelSmoothing, even: labelSmoothing / 2, weight0: weights[0],
                difference: weights[1] - weights[0]),
            output: output.value, gradient: gradient, count: output.shape.count, ignored: ignoring)
    }

    package func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError) {
        try LossChecks.targets(samples, in: 0...1, ignored: ignoring, named: name)
    }

    package func weighted(_ classWeights: [Float]) -> (any Loss)? {
        var copy = self
        copy.classWeights = classWeights
        return copy
    }

    /// The loss of one output, spelt out.
    package func reference(_ z: Double, target: Double) -> Double {
        if let ignoring, Float(target) == ignoring { return 0 }
        let weight = (classWeights ?? [1, 1]).map(Double.init)
        let t = (1 - Double(labelSmoothing)) * target + Double(labelSmoothing) / 2
        let p = 1 / (1 + exp(-z))
        return -(t * log(p) + (1 - t) * log(1 - p)) * (weight[0] + target * (weight[1] - weight[0]))
    }

    private struct Function: ElementwiseLoss {
        let keep: Float
        let even: Float
        let weight0: Float
        let difference: Float

        @inline(__always)
        func evaluate(_ z: Vector, _ t: Vector) -> ElementwiseResult {
            let (zero, one, half) = (Vector(repeating: 0), Vector(repeating: 1), Vector(repeating: 0.5))
            let target = mld_fma(t, Vector(repeating: keep), Vector(repeating: even))
            let weight = mld_fma(t, Vector(repeating: difference), Vector(repeating: weight0))
            let power = mld_exp(zero - mld_max(z, zero - z))
            let p = mld_select_positive(z, one, power) / (one + power)
            let loss = mld_max(z, zero) - z * target + logOfOnePlus(power)
            let isOne = mld_select_positive(z, one, zero)
            let shouldBeOne = mld_select_positive(t - half, one, zero)
            let miss = isOne - shouldBeOne
            return ElementwiseResult(loss: loss * weight, gradient: (p - target) * weight, hits: one - miss * miss)
        }

        /// `log(1 + e)` for `e` from 0 to 1, within 2e-8 of itself, however small: `2 artanh(s)` with `s = e / (2 + e)`, of
        /// which `s <= 1/3`, by its series to the power 13.
        @inline(__always)
        private func logOfOnePlus(_ e: Vector) -> Vector {
            let s = e / (e + Vector(repeating: 2))
            let square = s * s
            var sum = Vector(repeating: 1 / 13)
            sum = mld_fma(sum, square, Vector(repeating: 1 / 11))
            sum = mld_fma(sum, square, Vector(repeating: 1 / 9))
            sum = mld_fma(sum, square, Vector(repeating: 1 / 7))
            sum = mld_fma(sum, square, Vector(repeating: 1 / 5))
            sum = mld_fma(sum, square, Vector(repeating: 1 / 3))
            sum = mld_fma(sum, square, Vector(repeating: 1))
            return (s + s) * sum
        }
    }
}
