import Glibc
package import Tensors

/// `y = x + P` with waves of a position's own: `P[p, 2 i] = sin(p / 10000^(2 i / d))`, `P[p, 2 i + 1] = cos` of the same: Vaswani et
/// al., "Attention is all you need", 2017, 3.5.
///
/// `x [steps, d]`, `y [steps, d]`.
package struct PositionalEncoding: Layer {
    package static let kind = "positional-encoding"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank == 2 else {
            throw LearningError(.model, "a positional-encoding layer takes one sequence of vectors")
        }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let waves = try learning { () throws(TensorError) in try FloatBuffer(count: shape.count) }
        for position in 0..<shape.leading {
            for (i, value) in reference(position, width: shape.last).enumerated() {
                waves.base[position * shape.last + i] = Float(value)
            }
        }
        let gradient = PassedGradient(inputs[0], &plan)
        let output = Tensor(
            shape: shape, value: plan.scratch(perSample: shape.count, .throughout), gradient: gradient.slot,
            mask: inputs[0].tensor.mask)
        return BoundLayer(
            output: output,
            step: PositionalEncodingStep(
                input: inputs[0].tensor.value, output: output.value, waves: waves, gradient: gradient))
    }

    /// The waves at one position.
    package func reference(_ position: Int, width: Int) -> [Double] {
        (0..<width).map { i in
            let angle = Double(position) / pow(10000, Double(i / 2 * 2) / Double(width))
            return i.isMultiple(of: 2) ? sin(angle) : cos(angle)
        }
    }
}

private struct PositionalEncodingStep: LayerStep {
    let input: Slot
    let output: Slot
    /// `[steps][d]`
    let waves: FloatBuffer
    let gradient: PassedGradient

    func forward(_ frame: Frame) {
        let count = waves.count
        for row in 0..<frame.rows {
            map(count, frame[input] + row * count, waves.base, into: frame[output] + row * count) { $0 + $1 }
        }
    }

    func backward(_ frame: Frame) { gradient.backward(frame) }
}
