package import Tensors

/// `y = max(x, 0)`, any shape.
package struct ReLU: Layer {
    package static let kind = "relu"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1 else { throw LearningError(.model, "a relu layer takes one input") }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let output = plan.output(try outputShape(inputs.map(\.tensor.shape))).masked(inputs[0].tensor.mask)
        return BoundLayer(output: output, step: ReLUStep(input: inputs[0], output: output))
    }
}

private struct ReLUStep: LayerStep {
    let input: LayerInput
    let output: Tensor

    func forward(_ frame: Frame) {
        let x = frame[input.tensor.value]
        let y = frame[output.value]
        for i in 0..<(frame.rows * output.shape.count) {
            // This way round a NaN stays one.
            y[i] = x[i] < 0 ? 0 : x[i]
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        let y = frame[output.value]
        let dy = frame[from]
        let dx = frame[to]
        let count = frame.rows * output.shape.count
        if input.accumulates {
            for i in 0..<count { dx[i] += y[i] > 0 ? dy[i] : 0 }
        } else {
            for i in 0..<count { dx[i] = y[i] > 0 ? dy[i] : 0 }
        }
    }
}
