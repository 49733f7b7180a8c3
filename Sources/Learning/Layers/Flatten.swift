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
        let gradient = PassedGradient(inputs[0], &plan)
        return BoundLayer(
            output: Tensor(shape: shape, value: inputs[0].tensor.value, gradient: gradient.slot), step: gradient)
    }
}
