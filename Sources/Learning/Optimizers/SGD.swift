package import Tensors

/// Gradient descent with momentum, as Keras has it:
/// `v = momentum v - rate g`, then `w = w + v`, or with Nesterov's look ahead `w = w + momentum v - rate g`.
/// With weight decay, `w = w - rate decay w` before that.
package struct SGD: Optimizer {
    package let name = "sgd"
    package var learningRate: Float
    package var momentum: Float
    package var isNesterov: Bool
    package var weightDecay: Float

    package init(learningRate: Float = 0.01, momentum: Float = 0, isNesterov: Bool = false, weightDecay: Float = 0) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.isNesterov = isNesterov
        self.weightDecay = weightDecay
    }

    package var momentCount: Int { momentum == 0 ? 0 : 1 }

    package func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {
        let rate = Vector(repeating: learningRate * factor)
        let keep = Vector(repeating: 1 - learningRate * factor * weightDecay)
        let kept = Vector(repeating: momentum)
        if momentum == 0 {
            updateEach(count, parameters, gradients) { w, g in w * keep - rate * g }
        } else if isNesterov {
            updateEach(count, parameters, gradients, moments) { w, g, v in
                v = kept * v - rate * g
                return w * keep + (kept * v - rate * g)
            }
        } else {
            updateEach(count, parameters, gradients, moments) { w, g, v in
                v = kept * v - rate * g
                return w * keep + v
            }
        }
    }
}
