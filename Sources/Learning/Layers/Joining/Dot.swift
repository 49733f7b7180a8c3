import CKernels
package import Tensors

/// `y[...][0] = sum over i of a[...][i] b[...][i]`: the products of vectors, as of a user's and an item's. Two inputs of
/// one shape `[..., n]`; output `[..., 1]`.
package struct Dot: Layer {
    package static let kind = "dot"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 2, inputs[0] == inputs[1], inputs[0].rank >= 1 else {
            throw LearningError(.model, "a dot layer takes two inputs of the same shape")
        }
        return try learning { () throws(TensorError) in try inputs[0].replacingLast(with: 1) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(inputs[0].tensor.mask ?? inputs[1].tensor.mask)
        return BoundLayer(
            output: output,
            step: DotStep(first: inputs[0], second: inputs[1], output: output, width: inputs[0].tensor.shape.last))
    }

    /// One product, spelt out.
    package func reference(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
}

private struct DotStep: LayerStep {
    let first: LayerInput
    let second: LayerInput
    let output: Tensor
    let width: Int

    func forward(_ frame: Frame) {
        let (a, b, y) = (frame[first.tensor.value], frame[second.tensor.value], frame[output.value])
        for vector in 0..<(frame.rows * output.shape.count) {
            let (p, q) = (a + vector * width, b + vector * width)
            var sums = Vector(repeating: 0)
            var i = 0
            while i + lanes <= width {
                sums = mld_fma(load(p + i), load(q + i), sums)
                i += lanes
            }
            if i < width { sums += load(p + i, count: width - i) * load(q + i, count: width - i) }
            y[vector] = laneSum(sums)
        }
    }

    func backward(_ frame: Frame) {
        guard let slot = output.gradient else { return }
        let dy = frame[slot]
        pass(frame, dy, to: first, times: frame[second.tensor.value])
        pass(frame, dy, to: second, times: frame[first.tensor.value])
    }

    /// `da = dy b`
    private func pass(_ frame: Frame, _ dy: FloatPointer, to input: LayerInput, times other: FloatPointer) {
        guard let slot = input.tensor.gradient else { return }
        let dx = frame[slot]
        for vector in 0..<(frame.rows * output.shape.count) {
            let (to, from, factor) = (dx + vector * width, other + vector * width, dy[vector])
            if input.accumulates {
                for i in 0..<width { to[i] += factor * from[i] }
            } else {
                for i in 0..<width { to[i] = factor * from[i] }
            }
        }
    }
}
