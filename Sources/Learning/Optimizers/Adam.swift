import Glibc
package import Tensors

/// Adam (Kingma and Ba, 2015), with the defaults of Keras and, like it, the bias corrections folded into the rate:
/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g²`, `w = w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + e)`.
package struct Adam: Optimizer {
    package let name = "adam"
    package var learningRate: Float
    package var beta1: Float
    package var beta2: Float
    package var epsilon: Float

    package init(learningRate: Float = 0.001, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    package let momentCount = 2

    package func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {
        let correction = (1 - pow(Double(beta2), Double(step))).squareRoot() / (1 - pow(Double(beta1), Double(step)))
        let rate = factor * Float(Double(learningRate) * correction)
        let (keep1, take1, keep2, take2, epsilon) = (beta1, 1 - beta1, beta2, 1 - beta2, epsilon)
        let first = moments
        let second = moments + momentStride
        for i in 0..<count {
            let g = gradients[i]
            let m = keep1 * first[i] + take1 * g
            let v = keep2 * second[i] + take2 * (g * g)
            first[i] = m
            second[i] = v
            parameters[i] -= rate * m / (v.squareRoot() + epsilon)
        }
    }
}
