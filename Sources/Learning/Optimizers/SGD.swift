package import Tensors

/// Gradient descent with momentum, as Keras has it:
/// `v = momentum v - rate g`, then `w = w + v`, or with Nesterov's look ahead `w = w + momentum v - rate g`.
package struct SGD: Optimizer {
    package let name = "sgd"
    package var learningRate: Float
    package var momentum: Float
    package var isNesterov: Bool

    package init(learningRate: Float = 0.01, momentum: Float = 0, isNesterov: Bool = false) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.isNesterov = isNesterov
    }

    package var momentCount: Int { momentum == 0 ? 0 : 1 }

    package func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {
        let rate = learningRate * factor
        let momentum = momentum
        if momentum == 0 {
            for i in 0..<count { parameters[i] -= rate * gradients[i] }
        } else if isNesterov {
            for i in 0..<count {
                let v = momentum * moments[i] - rate * gradients[i]
                moments[i] = v
                parameters[i] += momentum * v - rate * gradients[i]
            }
        } else {
            for i in 0..<count {
                let v = momentum * moments[i] - rate * gradients[i]
                moments[i] = v
                parameters[i] += v
            }
        }
    }
}
