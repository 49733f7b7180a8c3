import CKernels
import Glibc
import Tensors

/// A function applied to a layer's output, by its Keras name.
package enum Activation: String, CaseIterable, Sendable {
    case linear
    case relu
    /// `x` where it is positive, else `0.2 x`, the slope of Radford, Metz and Chintala, "Unsupervised representation
    /// learning with deep convolutional generative adversarial networks", 2016.
    case leakyReLU = "leaky-relu"
    /// `1 / (1 + e^-x)`
    case sigmoid
    case tanh
    /// `x Phi(x)` in the form `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`: Hendrycks and Gimpel, "Gaussian error linear
    /// units", 2016. It differs from the form with the error function, which Keras and PyTorch take unless told
    /// otherwise, by less than 5e-4 everywhere.
    case gelu
    /// `x sigmoid(x)`: Ramachandran, Zoph and Le, "Searching for activation functions", 2017.
    case swish
    /// `e^x / sum(e^x)` over the last axis. As the last activation it is computed by the loss that it belongs to.
    case softmax
}

extension Activation {
    /// The slope of ``leakyReLU`` where its argument is negative.
    package static let leak: Float = 0.2

    /// The derivative cannot be had from the output alone, so the argument must be kept.
    package var needsArgument: Bool { self == .gelu || self == .swish }

    /// Applies the function, in place: `[rows][columns]`.
    ///
    /// A NaN stays one, so that a diverging model is seen.
    func apply(_ values: FloatPointer, rows: Int, columns: Int) {
        apply(values, into: values, rows: rows, columns: columns)
    }

    /// Applies the function. `output` may be `argument`, unless the function needs its argument afterwards.
    func apply(_ argument: FloatPointer, into output: FloatPointer, rows: Int, columns: Int) {
        let count = rows * columns
        switch self {
        case .linear: if output != argument { output.update(from: argument, count: count) }
        case .relu: map(count, argument, into: output) { mld_max($0, Vector(repeating: 0)) }
        case .leakyReLU: map(count, argument, into: output) { mld_select_positive($0, $0, $0 * Activation.leak) }
        case .sigmoid: map(count, argument, into: output) { mld_sigmoid($0) }
        case .tanh: map(count, argument, into: output) { mld_tanh($0) }
        case .gelu: map(count, argument, into: output) { GELU.value($0) }
        case .swish: map(count, argument, into: output) { $0 * mld_sigmoid($0) }
        case .softmax: Tensors.softmax(argument, rows: rows, columns: columns, into: output)
        }
    }

    /// Turns the gradient of the output into that of the function's argument, in place, from the output alone: for
    /// functions of single elements that do not need their argument.
    func differentiate(_ gradient: FloatPointer, output: FloatPointer, count: Int) {
        differentiate(gradient, output: output, argument: output, rows: 1, columns: count)
    }

    /// Turns the gradient of the output into that of the function's argument, in place.
    ///
    /// - Parameter argument: read only by functions that need it.
    func differentiate(
        _ gradient: FloatPointer, output: FloatPointer, argument: FloatPointer, rows: Int, columns: Int
    ) {
        let count = rows * columns
        let one = Vector(repeating: 1)
        switch self {
        case .linear: break
        case .relu:
            map(count, gradient, output, into: gradient) { mld_select_positive($1, $0, Vector(repeating: 0)) }
        case .leakyReLU:
            map(count, gradient, output, into: gradient) { mld_select_positive($1, $0, $0 * Activation.leak) }
        case .sigmoid: map(count, gradient, output, into: gradient) { $0 * $1 * (one - $1) }
        case .tanh: map(count, gradient, output, into: gradient) { $0 * (one - $1 * $1) }
        case .gelu: map(count, gradient, argument, into: gradient) { $0 * GELU.derivative($1) }
        case .swish:
            map(count, gradient, argument, into: gradient) { gradient, x in
                let s = mld_sigmoid(x)
                return gradient * s * (one + x * (one - s))
            }
        case .softmax: differentiateSoftmax(output, rows: rows, columns: columns, gradient)
        }
    }

    /// What ``apply(_:rows:columns:)`` must compute, for one row.
    package func reference(_ row: [Double]) -> [Double] {
        switch self {
        case .linear: return row
        case .relu: return row.map { max($0, 0) }
        case .leakyReLU: return row.map { $0 > 0 ? $0 : $0 * Double(Activation.leak) }
        case .sigmoid: return row.map { 1 / (1 + exp(-$0)) }
        case .tanh: return row.map { Glibc.tanh($0) }
        case .gelu:
            return row.map { $0 / 2 * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
        case .swish: return row.map { $0 / (1 + exp(-$0)) }
        case .softmax:
            let largest = row.max() ?? 0
            let powers = row.map { exp($0 - largest) }
            let sum = powers.reduce(0, +)
            return powers.map { $0 / sum }
        }
    }
}

private enum GELU {
    /// `sqrt(2 / pi)`
    static let scale: Float = 0.797_884_560_8
    static let cube: Float = 0.044715

    /// `x / 2 (1 + tanh(u))` with `u = sqrt(2 / pi) (x + 0.044715 x^3)`.
    @inline(__always)
    static func value(_ x: Vector) -> Vector {
        let u = x * scale * mld_fma(x * x, Vector(repeating: cube), Vector(repeating: 1))
        let half = x * 0.5
        return mld_fma(half, mld_tanh(u), half)
    }

    /// `(1 + t) / 2 + x / 2 (1 - t^2) u'` with `t = tanh(u)`.
    @inline(__always)
    static func derivative(_ x: Vector) -> Vector {
        let one = Vector(repeating: 1)
        let square = x * x
        let t = mld_tanh(x * scale * mld_fma(square, Vector(repeating: cube), one))
        let slope = mld_fma(square, Vector(repeating: 3 * cube), one) * scale
        return (one + t + x * (one - t * t) * slope) * 0.5
    }
}
