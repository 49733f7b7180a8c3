package import Tensors

/// The same values under another shape: the same memory, so it costs nothing, unless several layers read the input,
/// when its gradient needs a sum.
///
/// `x` of any shape, `y [shape]` with as many values.
package struct Reshape: Layer {
    package static let kind = "reshape"

    package var dimensions: [Int]

    package init(_ dimensions: [Int]) {
        self.dimensions = dimensions
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1 else { throw LearningError(.model, "a reshape layer takes one input") }
        let shape = try learning { () throws(TensorError) in try Shape(dimensions) }
        guard shape.count == inputs[0].count else {
            throw LearningError(
                .model, "a sample of \(inputs[0]) has \(inputs[0].count) values, \(shape) would need \(shape.count)")
        }
        return shape
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let input = inputs[0].tensor
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let gradient = PassedGradient(inputs[0], &plan)
        // Positions stay apart if the first axis does.
        let mask = shape.dimensions.first == input.shape.dimensions.first ? input.mask : nil
        return BoundLayer(
            output: Tensor(shape: shape, value: input.value, gradient: gradient.slot, mask: mask), step: gradient)
    }
}
