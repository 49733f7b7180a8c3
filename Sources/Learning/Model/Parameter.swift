import Glibc
package import Tensors

/// Where a parameter lies in the flat buffers.
package struct ParameterSlot: Hashable, Sendable {
    package let offset: Int
    package let count: Int
}

/// A named array that is learnt.
package struct Parameter: Hashable, Sendable {
    /// The layer's name and its own: `dense-1.kernel`.
    package let name: String
    package let shape: Shape
    package let slot: ParameterSlot
    package let initializer: Initializer
    /// The layer it belongs to, counted from 0.
    package let node: Int
}

/// How a parameter starts.
package enum Initializer: Hashable, Sendable {
    case zeros
    /// Uniform in `±sqrt(6 / (fanIn + fanOut))`: Glorot and Bengio, "Understanding the difficulty of training deep
    /// feedforward neural networks", 2010. What Keras gives kernels unless told otherwise.
    case glorotUniform(fanIn: Int, fanOut: Int)

    func fill(_ pointer: FloatPointer, count: Int, _ generator: inout SplitMix64) {
        switch self {
        case .zeros:
            pointer.update(repeating: 0, count: count)
        case .glorotUniform(let fanIn, let fanOut):
            let limit = Float((6 / Double(fanIn + fanOut)).squareRoot())
            for i in 0..<count { pointer[i] = generator.uniform(-limit, limit) }
        }
    }
}
