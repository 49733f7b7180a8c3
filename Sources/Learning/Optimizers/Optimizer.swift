package import Tensors

/// Turns gradients into changes of the parameters.
package protocol Optimizer: Sendable {
    /// The name in job files, which is Keras's in lower case.
    var name: String { get }

    /// How fast it learns, before a schedule's factor.
    var learningRate: Float { get }

    /// Buffers, each as large as the parameters, that it keeps between steps.
    var momentCount: Int { get }

    /// Changes `count` parameters. Element by element, so that threads may split the work anywhere.
    ///
    /// - Parameters:
    ///   - moments: the first moment; the others follow at distances of `momentStride`. Zero before the first step.
    ///   - step: counted from 1.
    ///   - factor: what the schedule makes of the learning rate at this step.
    func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float)
}
