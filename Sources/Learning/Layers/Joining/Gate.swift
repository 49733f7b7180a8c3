import CKernels
package import Tensors

/// `y = tanh(a) sigmoid(b)`, where `a` and `b` are the halves of the last axis: the gated activation of van den Oord et
/// al., "WaveNet: a generative model for raw audio", 2016.
///
/// `x [..., 2 n]`, `y [..., n]`.
package struct Gate: Layer {
    package static let kind = "gated"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank >= 1, inputs[0].last.isMultiple(of: 2) else {
            throw LearningError(.model, "a gated layer takes one input whose last axis has an even size")
        }
        return try learning { () throws(TensorError) in try inputs[0].replacingLast(with: inputs[0].last / 2) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(output: output, step: GateStep(input: inputs[0], output: output))
    }

    /// The forward pass of one vector, spelt out.
    package func reference(_ x: [Double]) -> [Double] {
        let half = x.count / 2
        let (a, b) = (Activation.tanh.reference(x), Activation.sigmoid.reference(x))
        return (0..<half).map { a[$0] * b[half + $0] }
    }
}

private struct GateStep: LayerStep {
    let input: LayerInput
    let output: Tensor

    func forward(_ frame: Frame) {
        let width = output.shape.last
        let x = frame[input.tensor.value]
        let y = frame[output.value]
        for row in 0..<(frame.rows * output.shape.leading) {
            let a = x + 2 * row * width
            map(width, a, a + width, into: y + row * width) { mld_tanh($0) * mld_sigmoid($1) }
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        let width = output.shape.last
        let x = frame[input.tensor.value]
        let dx = frame[to]
        let dy = frame[from]
        let one = Vector(repeating: 1)
        for row in 0..<(frame.rows * output.shape.leading) {
            let a = x + 2 * row * width
            let da = dx + 2 * row * width
            for i in stride(from: 0, to: width, by: lanes) {
                let gradient = load(dy + row * width, at: i, of: width)
                // The halves again, which costs less than keeping them.
                let t = mld_tanh(load(a, at: i, of: width))
                let s = mld_sigmoid(load(a + width, at: i, of: width))
                var forA = gradient * s * (one - t * t)
                var forB = gradient * t * s * (one - s)
                if input.accumulates {
                    forA += load(da, at: i, of: width)
                    forB += load(da + width, at: i, of: width)
                }
                store(da, at: i, of: width, forA)
                store(da + width, at: i, of: width, forB)
            }
        }
    }
}
