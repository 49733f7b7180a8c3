import CKernels
import Glibc
import Tensors

/// One step of a ``GRU``; blocks n (from the input), z, r, and the state's part of n, so that the input's product takes
/// the first three and the state's the last three.
package enum GRUCell: RecurrentCell {
    package static let gates = 3
    package static let blocks = 4
    package static let inputBlocks = [
        GateBlocks(kernel: 0, gate: 1, count: 2), GateBlocks(kernel: 2, gate: 0, count: 1),
    ]
    package static let biasBlocks = inputBlocks + [GateBlocks(kernel: 3, gate: 1, count: 3)]
    package static let hasCellState = false
    package static let biasRows = 2
    package static let biasStart: [Float] = [0]

    package static func activate(_ step: CellStep) {
        let n = step.units
        let (input, state) = (step.bias, step.bias + 3 * n)
        let one = Vector(repeating: 1)
        for row in 0..<step.rows {
            guard step.isReal(row) else {
                step.carry(row)
                continue
            }
            let gate = step.gates + row * 4 * n
            let (h0, h1) = (step.previous + row * n, step.next + row * n)
            forEachVector(n) { j, count in
                let z = mld_sigmoid(
                    load(gate + n + j, part: count) + (load(input + j, part: count) + load(state + j, part: count)))
                let r = mld_sigmoid(
                    load(gate + 2 * n + j, part: count)
                        + (load(input + n + j, part: count) + load(state + n + j, part: count)))
                let s = load(gate + 3 * n + j, part: count) + load(state + 2 * n + j, part: count)
                let c = mld_tanh(
                    mld_fma(r, s, load(gate + j, part: count) + load(input + 2 * n + j, part: count)))
                store(gate + j, c, part: count)
                store(gate + n + j, z, part: count)
                store(gate + 2 * n + j, r, part: count)
                store(gate + 3 * n + j, s, part: count)
                store(h1 + j, mld_fma(z, load(h0 + j, part: count), (one - z) * c), part: count)
            }
        }
    }

    package static func differentiate(_ step: CellStep, _ gradient: StateGradient) {
        let n = step.units
        let one = Vector(repeating: 1)
        for row in 0..<step.rows {
            let gate = step.gates + row * 4 * n
            guard step.isReal(row) else {
                gate.update(repeating: 0, count: 4 * n)
                continue
            }
            let (h0, dh) = (step.previous + row * n, gradient.output + row * n)
            forEachVector(n) { j, count in
                let c = load(gate + j, part: count)
                let z = load(gate + n + j, part: count)
                let r = load(gate + 2 * n + j, part: count)
                let s = load(gate + 3 * n + j, part: count)
                let dy = load(dh + j, part: count)
                let dn = dy * (one - z) * (one - c * c)
                store(gate + j, dn, part: count)
                store(gate + n + j, dy * (load(h0 + j, part: count) - c) * z * (one - z), part: count)
                store(gate + 2 * n + j, dn * s * r * (one - r), part: count)
                store(gate + 3 * n + j, dn * r, part: count)
                store(dh + j, dy * z, part: count)
            }
        }
    }

    package static func reference(
        _ x: [Double], _ state: ReferenceState, _ weights: RecurrentWeights
    ) -> ReferenceState {
        let n = state.output.count
        let (input, recurrent) = weights.products(x, state.output)
        let a = (0..<(3 * n)).map { input[$0] + weights.bias[$0] }
        let s = (0..<(3 * n)).map { recurrent[$0] + weights.bias[3 * n + $0] }
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        let output = (0..<n).map { unit in
            let (z, r) = (sigmoid(a[unit] + s[unit]), sigmoid(a[n + unit] + s[n + unit]))
            return z * state.output[unit] + (1 - z) * tanh(a[2 * n + unit] + r * s[2 * n + unit])
        }
        return ReferenceState(output: output, cell: state.cell)
    }
}
