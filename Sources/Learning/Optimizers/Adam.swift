import CKernels
import Glibc
package import Tensors

/// Adam (Kingma and Ba, 2015), with the defaults of Keras and, like it, the bias corrections folded into the rate:
/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g²`, `w = w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + e)`.
///
/// With weight decay, `w = w - rate decay w` before that: decoupled from the gradient, so that the second moment does
/// not scale it.
package struct Adam: Optimizer {
    package let name = "adam"
    package var learningRate: Float
    package var beta1: Float
    package var beta2: Float
    package var epsilon: Float
    package var weightDecay: Float

    package init(
        learningRate: Float = 0.001, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
        weightDecay: Float = 0
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    package let momentCount = 2

    package func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {
        let correction = (1 - pow(Double(beta2), Double(step))).squareRoot() / (1 - pow(Double(beta1), Double(step)))
        let rate = Vector(repeating: factor * Float(Double(learningRate) * correction))
        let (keep1, take1) = (Vector(repeating: beta1), Vector(repeating: 1 - beta1))
        let (keep2, take2) = (Vector(repeating: beta2), Vector(repeating: 1 - beta2))
        let epsilon = Vector(repeating: epsilon)
        let keep = Vector(repeating: 1 - factor * learningRate * weightDecay)
        updateEach(count, parameters, gradients, moments, moments + momentStride) { w, g, m, v in
            m = mld_fma(keep1, m, take1 * g)
            v = mld_fma(keep2, v, take2 * (g * g))
            return w * keep - rate * m / (mld_sqrt(v) + epsilon)
        }
    }
}
