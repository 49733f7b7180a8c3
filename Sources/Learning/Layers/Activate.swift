package import Tensors

/// An activation as a layer of its own, for where one must stand apart: `y = f(x)`, any shape; softmax over the last
/// axis.
package struct Activate: Layer {
    package static let kind = "activation"

    package var function: Activation

    package init(_ function: Activation) {
        self.function = function
    }

    package var splitOutputActivation: (layer: any Layer, activation: Activation)? {
        (Activate(.linear), function)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1 else { throw LearningError(.model, "an activation layer takes one input") }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(
            output: output, step: ActivateStep(input: inputs[0], output: output, function: function))
    }
}

private struct ActivateStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let function: Activation

    func forward(_ frame: Frame) {
        function.apply(
            frame[input.tensor.value], into: frame[output.value], rows: frame.rows * output.shape.leading,
            columns: output.shape.last)
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        let rows = frame.rows * output.shape.leading
        function.differentiate(
            frame[from], output: frame[output.value], argument: frame[input.tensor.value], rows: rows,
            columns: output.shape.last)
        copy(rows * output.shape.last, frame[from], into: frame[to], accumulate: input.accumulates)
    }
}
