import CKernels
import Glibc
import Tensors

/// A function applied to a layer's output, by its Keras name.
package enum Activation: String, CaseIterable, Sendable {
    case linear
    case relu
    /// `1 / (1 + e^-x)`. On the last layer, the binary cross-entropy computes it.
    case sigmoid
    /// Over the last axis. Computed by the loss that it belongs to.
    case softmax
}

extension Activation {
    /// Adds `bias[column]` to each row, if there is one, and applies the function, in place: `[rows][columns]`.
    ///
    /// A NaN stays one, so that a diverging model is seen.
    func apply(_ values: FloatPointer, rows: Int, columns: Int, bias: FloatPointer?) {
        if let bias {
            for row in 0..<rows {
                let y = values + row * columns
                if self == .relu {
                    for j in 0..<columns {
                        let x = y[j] + bias[j]
                        y[j] = x < 0 ? 0 : x
                    }
                } else {
                    for j in 0..<columns { y[j] += bias[j] }
                }
            }
        } else if self == .relu {
            for i in 0..<(rows * columns) {
                let x = values[i]
                values[i] = x < 0 ? 0 : x
            }
        }
        if self == .sigmoid {
            let count = rows * columns
            var i = 0
            while i + lanes <= count {
                store(values + i, mld_sigmoid(load(values + i)))
                i += lanes
            }
            if i < count { store(values + i, mld_sigmoid(load(values + i, count: count - i)), count: count - i) }
        }
    }

    /// Turns the gradient of the output into that of the function's argument, in place, from the output alone.
    func differentiate(_ gradient: FloatPointer, output: FloatPointer, count: Int) {
        if self == .relu {
            for i in 0..<count { gradient[i] = output[i] > 0 ? gradient[i] : 0 }
        } else if self == .sigmoid {
            for i in 0..<count { gradient[i] *= output[i] * (1 - output[i]) }
        }
    }

    /// What ``apply(_:rows:columns:bias:)`` must compute, for one row.
    package func reference(_ row: [Double]) -> [Double] {
        switch self {
        case .linear: return row
        case .relu: return row.map { max($0, 0) }
        case .sigmoid: return row.map { 1 / (1 + exp(-$0)) }
        case .softmax:
            let largest = row.max() ?? 0
            let powers = row.map { exp($0 - largest) }
            let sum = powers.reduce(0, +)
            return powers.map { $0 / sum }
        }
    }
}
