package import Tensors

/// `y = a + b + ...`: a residual connection. All inputs have one shape.
package struct Add: Layer {
    package static let kind = "add"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        try sameShape(inputs, "an add layer")
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(firstMask(inputs))
        return BoundLayer(output: output, step: AddStep(inputs: inputs, output: output))
    }
}

/// The shape that all inputs have.
func sameShape(_ inputs: [Shape], _ what: String) throws(LearningError) -> Shape {
    guard inputs.count >= 2 else { throw LearningError(.model, "\(what) takes at least two inputs") }
    for shape in inputs where shape != inputs[0] {
        throw LearningError(.model, "\(what) takes inputs of one shape, not \(inputs[0]) and \(shape)")
    }
    return inputs[0]
}

/// The mask of the first input that has one.
func firstMask(_ inputs: [LayerInput]) -> Mask? {
    for input in inputs { if let mask = input.tensor.mask { return mask } }
    return nil
}

private struct AddStep: LayerStep {
    let inputs: [LayerInput]
    let output: Tensor

    func forward(_ frame: Frame) {
        let count = frame.rows * output.shape.count
        let y = frame[output.value]
        map(count, frame[inputs[0].tensor.value], frame[inputs[1].tensor.value], into: y) { $0 + $1 }
        for i in 2..<max(inputs.count, 2) {
            copy(count, frame[inputs[i].tensor.value], into: y, accumulate: true)
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        for input in inputs {
            guard let to = input.tensor.gradient else { continue }
            copy(frame.rows * output.shape.count, frame[from], into: frame[to], accumulate: input.accumulates)
        }
    }
}
