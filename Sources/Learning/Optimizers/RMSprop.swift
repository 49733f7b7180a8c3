import CKernels
package import Tensors

/// Divides by a moving root of the squared gradients: Tieleman and Hinton, "Lecture 6.5 - rmsprop", 2012, as Keras has it:
/// `v = rho v + (1 - rho) g²`, `d = rate g / sqrt(v + e)`, and `w = w - d`, or with momentum `m = momentum m + d`,
/// `w = w - m`. With weight decay, `w = w - rate decay w` before that.
package struct RMSprop: Optimizer {
    package let name = "rmsprop"
    package var learningRate: Float
    package var rho: Float
    package var momentum: Float
    package var epsilon: Float
    package var weightDecay: Float

    package init(
        learningRate: Float = 0.001, rho: Float = 0.9, momentum: Float = 0, epsilon: Float = 1e-7,
        weightDecay: Float = 0
    ) {
        self.learningRate = learningRate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    package var momentCount: Int { momentum == 0 ? 1 : 2 }

    package func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {
        let rate = Vector(repeating: learningRate * factor)
        let keep = Vector(repeating: 1 - learningRate * factor * weightDecay)
        let (keepSquare, takeSquare) = (Vector(repeating: rho), Vector(repeating: 1 - rho))
        let (kept, epsilon) = (Vector(repeating: momentum), Vector(repeating: epsilon))
        if momentum == 0 {
            updateEach(count, parameters, gradients, moments) { w, g, v in
                v = mld_fma(keepSquare, v, takeSquare * (g * g))
                return w * keep - rate * g / mld_sqrt(v + epsilon)
            }
        } else {
            updateEach(count, parameters, gradients, moments, moments + momentStride) { w, g, v, m in
                v = mld_fma(keepSquare, v, takeSquare * (g * g))
                m = kept * m + rate * g / mld_sqrt(v + epsilon)
                return w * keep - m
            }
        }
    }
}
