package import Tensors

/// ``Adam`` with decoupled weight decay, on by default: Loshchilov and Hutter, "Decoupled weight decay regularization",
/// 2019, with the defaults of Keras.
package struct AdamW: Optimizer {
    package let name = "adamw"
    package var adam: Adam

    package init(
        learningRate: Float = 0.001, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
        weightDecay: Float = 0.004
    ) {
        adam = Adam(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay)
    }

    package var learningRate: Float { adam.learningRate }
    package var momentCount: Int { adam.momentCount }

    package func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {
        adam.update(
            parameters, gradients, moments: moments, momentStride: momentStride, count: count, step: step,
            factor: factor)
    }
}
