import CKernels
import Glibc
import Tensors

/// One step of an ``LSTM``; blocks i, f, g, o.
package enum LSTMCell: RecurrentCell {
    package static let gates = 4
    package static let blocks = 4
    package static let inputBlocks = [GateBlocks(kernel: 0, gate: 0, count: 4)]
    package static let biasBlocks = [GateBlocks(kernel: 0, gate: 0, count: 4)]
    package static let hasCellState = true
    package static let biasRows = 1
    /// The forget gate starts open: Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network
    /// architectures", 2015.
    package static let biasStart: [Float] = [0, 1, 0, 0]

    package static func activate(_ step: CellStep) {
        guard let previousCell = step.previousCell, let nextCell = step.nextCell else { return }
        let n = step.units
        let bias = step.bias
        for row in 0..<step.rows {
            guard step.isReal(row) else {
                step.carry(row)
                continue
            }
            let gate = step.gates + row * 4 * n
            let (c0, c1, h) = (previousCell + row * n, nextCell + row * n, step.next + row * n)
            forEachVector(n) { j, count in
                let i = mld_sigmoid(load(gate + j, part: count) + load(bias + j, part: count))
                let f = mld_sigmoid(load(gate + n + j, part: count) + load(bias + n + j, part: count))
                let g = mld_tanh(load(gate + 2 * n + j, part: count) + load(bias + 2 * n + j, part: count))
                let o = mld_sigmoid(load(gate + 3 * n + j, part: count) + load(bias + 3 * n + j, part: count))
                let c = mld_fma(f, load(c0 + j, part: count), i * g)
                store(gate + j, i, part: count)
                store(gate + n + j, f, part: count)
                store(gate + 2 * n + j, g, part: count)
                store(gate + 3 * n + j, o, part: count)
                store(c1 + j, c, part: count)
                store(h + j, o * mld_tanh(c), part: count)
            }
        }
    }

    package static func differentiate(_ step: CellStep, _ gradient: StateGradient) {
        guard let previousCell = step.previousCell, let nextCell = step.nextCell, let cell = gradient.cell else {
            return
        }
        let n = step.units
        let one = Vector(repeating: 1)
        for row in 0..<step.rows {
            let gate = step.gates + row * 4 * n
            guard step.isReal(row) else {
                gate.update(repeating: 0, count: 4 * n)
                continue
            }
            let (c0, c1) = (previousCell + row * n, nextCell + row * n)
            let (dh, dc) = (gradient.output + row * n, cell + row * n)
            forEachVector(n) { j, count in
                let i = load(gate + j, part: count)
                let f = load(gate + n + j, part: count)
                let g = load(gate + 2 * n + j, part: count)
                let o = load(gate + 3 * n + j, part: count)
                // Computed again: as quick as reading it back would be.
                let t = mld_tanh(load(c1 + j, part: count))
                let dy = load(dh + j, part: count)
                let d = mld_fma(dy * o, one - t * t, load(dc + j, part: count))
                store(gate + j, d * g * i * (one - i), part: count)
                store(gate + n + j, d * load(c0 + j, part: count) * f * (one - f), part: count)
                store(gate + 2 * n + j, d * i * (one - g * g), part: count)
                store(gate + 3 * n + j, dy * t * o * (one - o), part: count)
                store(dc + j, d * f, part: count)
                store(dh + j, Vector(repeating: 0), part: count)
            }
        }
    }

    package static func reference(
        _ x: [Double], _ state: ReferenceState, _ weights: RecurrentWeights
    ) -> ReferenceState {
        let n = state.output.count
        let (input, recurrent) = weights.products(x, state.output)
        let a = (0..<(4 * n)).map { input[$0] + recurrent[$0] + weights.bias[$0] }
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        let c = (0..<n).map { sigmoid(a[n + $0]) * state.cell[$0] + sigmoid(a[$0]) * tanh(a[2 * n + $0]) }
        return ReferenceState(output: (0..<n).map { sigmoid(a[3 * n + $0]) * tanh(c[$0]) }, cell: c)
    }
}
