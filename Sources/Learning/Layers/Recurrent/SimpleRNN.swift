import CKernels
import Glibc
import Tensors

/// The plain recurrent layer: Elman, "Finding structure in time", 1990.
///
/// `x [steps, f]`, `W [f, units]` (kernel), `U [units, units]` (recurrent-kernel), `b [units]` (bias),
/// `h_t = tanh(x_t W + h_{t-1} U + b)`.
/// Gives `h [steps, units]`, or the last one, `[units]`; twice as wide when bidirectional.
package struct SimpleRNN: RecurrentLayer {
    package typealias Cell = SimpleCell
    package static let kind = "simple-rnn"

    package var units: Int
    package var returnsSequences: Bool
    package var isBidirectional: Bool

    package init(units: Int, returnsSequences: Bool = false, isBidirectional: Bool = false) {
        self.units = units
        self.returnsSequences = returnsSequences
        self.isBidirectional = isBidirectional
    }
}

/// One step of a ``SimpleRNN``, in one block.
package enum SimpleCell: RecurrentCell {
    package static let gates = 1
    package static let blocks = 1
    package static let inputBlocks = [GateBlocks(kernel: 0, gate: 0, count: 1)]
    package static let biasBlocks = [GateBlocks(kernel: 0, gate: 0, count: 1)]
    package static let hasCellState = false
    package static let biasRows = 1
    package static let biasStart: [Float] = [0]

    package static func activate(_ step: CellStep) {
        let n = step.units
        for row in 0..<step.rows {
            guard step.isReal(row) else {
                step.carry(row)
                continue
            }
            let (a, h) = (step.gates + row * n, step.next + row * n)
            forEachVector(n) { j, count in
                store(h + j, mld_tanh(load(a + j, part: count) + load(step.bias + j, part: count)), part: count)
            }
        }
    }

    package static func differentiate(_ step: CellStep, _ gradient: StateGradient) {
        let n = step.units
        let one = Vector(repeating: 1)
        for row in 0..<step.rows {
            let a = step.gates + row * n
            guard step.isReal(row) else {
                a.update(repeating: 0, count: n)
                continue
            }
            let (h, dh) = (step.next + row * n, gradient.output + row * n)
            forEachVector(n) { j, count in
                let y = load(h + j, part: count)
                store(a + j, load(dh + j, part: count) * (one - y * y), part: count)
                store(dh + j, Vector(repeating: 0), part: count)
            }
        }
    }

    package static func reference(
        _ x: [Double], _ state: ReferenceState, _ weights: RecurrentWeights
    ) -> ReferenceState {
        let (input, recurrent) = weights.products(x, state.output)
        let output = input.indices.map { tanh(input[$0] + recurrent[$0] + weights.bias[$0]) }
        return ReferenceState(output: output, cell: state.cell)
    }
}
