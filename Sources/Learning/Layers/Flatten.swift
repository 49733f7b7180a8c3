package import Tensors

/// Each sample as one vector: `[a, b, ...]` becomes `[a b ...]`. The same memory under another shape, so it costs
/// nothing, unless several layers read the input, when its gradient needs a sum.
package struct Flatten: Layer {
    package static let kind = "flatten"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1 else { throw LearningError(.model, "a flatten layer takes one input") }
        return inputs[0].flattened
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let input = inputs[0].tensor
        guard inputs[0].isShared, let to = input.gradient else {
            let output = Tensor(shape: shape, value: input.value, gradient: input.gradient)
            return BoundLayer(output: output, step: FlattenStep(from: nil, to: nil, count: 0, accumulates: false))
        }
        let from = plan.scratch(perSample: shape.count, .backward)
        return BoundLayer(
            output: Tensor(shape: shape, value: input.value, gradient: from),
            step: FlattenStep(from: from, to: to, count: shape.count, accumulates: inputs[0].accumulates))
    }
}

private struct FlattenStep: LayerStep {
    let from: Slot?
    let to: Slot?
    let count: Int
    let accumulates: Bool

    func forward(_ frame: Frame) {}

    func backward(_ frame: Frame) {
        guard let from, let to else { return }
        let dy = frame[from]
        let dx = frame[to]
        for i in 0..<(frame.rows * count) { dx[i] = accumulates ? dx[i] + dy[i] : dy[i] }
    }
}
