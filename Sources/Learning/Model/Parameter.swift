import Glibc
package import Tensors

/// A parameter as its layer knows it.
package struct ParameterSlot: Hashable, Sendable {
    let index: Int
    package let count: Int
}

/// A named array that is learnt, or follows what a layer observes.
package struct Parameter: Hashable, Sendable {
    /// The layer's name and its own: `dense-1.kernel`.
    package let name: String
    package let shape: Shape
    /// Where it starts in the flat buffers.
    package internal(set) var offset: Int
    package let initializer: Initializer
    /// The layer it belongs to, counted from 0.
    package let node: Int
    /// Of state that is averaged over steps; nil for what is learnt.
    package let momentum: Float?

    package var count: Int { shape.count }
    package var isLearnt: Bool { momentum == nil }
}

/// How a parameter starts.
package enum Initializer: Hashable, Sendable {
    case zeros
    case ones
    /// One number throughout.
    case constant(Float)
    /// Uniform in `±limit`.
    case uniform(Float)
    /// Normal with this standard deviation, by Box and Muller, 1958.
    case normal(Float)
    /// Normal with deviation `sqrt(2 / fanIn)`: He et al., "Delving deep into rectifiers", 2015.
    case heNormal(fanIn: Int)
    /// A matrix of these many rows and columns with orthonormal rows or columns, whichever are fewer: Saxe et al.,
    /// "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014.
    case orthogonal(rows: Int, columns: Int)
    /// One initializer after the other over blocks of so many values, as for the gates of a recurrent layer's bias.
    case blocks([Float], each: Int)
    /// Uniform in `±sqrt(6 / (fanIn + fanOut))`: Glorot and Bengio, "Understanding the difficulty of training deep
    /// feedforward neural networks", 2010. What Keras gives kernels unless told otherwise.
    case glorotUniform(fanIn: Int, fanOut: Int)

    func fill(_ pointer: FloatPointer, count: Int, _ generator: inout SplitMix64) {
        switch self {
        case .zeros:
            pointer.update(repeating: 0, count: count)
        case .ones:
            pointer.update(repeating: 1, count: count)
        case .constant(let value):
            pointer.update(repeating: value, count: count)
        case .uniform(let limit):
            for i in 0..<count { pointer[i] = generator.uniform(-limit, limit) }
        case .normal(let deviation):
            for i in 0..<count { pointer[i] = deviation * generator.normal() }
        case .heNormal(let fanIn):
            let deviation = Float((2 / Double(max(fanIn, 1))).squareRoot())
            for i in 0..<count { pointer[i] = deviation * generator.normal() }
        case .orthogonal(let rows, let columns):
            orthogonal(pointer, rows: rows, columns: columns, &generator)
        case .blocks(let values, let each):
            for i in 0..<count { pointer[i] = values[min(i / max(each, 1), values.count - 1)] }
        case .glorotUniform(let fanIn, let fanOut):
            let limit = Float((6 / Double(fanIn + fanOut)).squareRoot())
            for i in 0..<count { pointer[i] = generator.uniform(-limit, limit) }
        }
    }

    /// Gram and Schmidt on normal vectors, in double precision, twice for orthogonality to the last digits.
    private func orthogonal(_ pointer: FloatPointer, rows: Int, columns: Int, _ generator: inout SplitMix64) {
        let (vectors, length) = (min(rows, columns), max(rows, columns))
        var basis: [[Double]] = []
        for _ in 0..<vectors {
            var v = (0..<length).map { _ in Double(generator.normal()) }
            for _ in 0..<2 {
                for other in basis {
                    let dot = zip(v, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for i in 0..<length { v[i] -= dot * other[i] }
                }
                let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
                for i in 0..<length { v[i] /= max(norm, 1e-12) }
            }
            basis.append(v)
        }
        for row in 0..<rows {
            for column in 0..<columns {
                pointer[row * columns + column] = Float(
                    rows <= columns ? basis[row][column] : basis[column][row])
            }
        }
    }
}
