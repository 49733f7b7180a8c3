package import Tensors

/// `y = a b ...`, element by element. All inputs have one shape.
package struct Multiply: Layer {
    package static let kind = "multiply"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        try sameShape(inputs, "a multiply layer")
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(firstMask(inputs))
        return BoundLayer(output: output, step: MultiplyStep(inputs: inputs, output: output))
    }
}

private struct MultiplyStep: LayerStep {
    let inputs: [LayerInput]
    let output: Tensor

    func forward(_ frame: Frame) {
        let count = frame.rows * output.shape.count
        let y = frame[output.value]
        map(count, frame[inputs[0].tensor.value], frame[inputs[1].tensor.value], into: y) { $0 * $1 }
        for i in 2..<max(inputs.count, 2) { map(count, y, frame[inputs[i].tensor.value], into: y) { $0 * $1 } }
    }

    /// Of each factor the gradient is `dy` times the others: not `dy y / factor`, for factors may be zero.
    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        let count = frame.rows * output.shape.count
        let dy = frame[from]
        for (index, input) in inputs.enumerated() {
            guard let to = input.tensor.gradient else { continue }
            let dx = frame[to]
            if inputs.count == 2 {
                map(count, dy, frame[inputs[1 - index].tensor.value], into: dx, accumulate: input.accumulates) {
                    $0 * $1
                }
                continue
            }
            for i in stride(from: 0, to: count, by: lanes) {
                var product = load(dy, at: i, of: count)
                for (other, factor) in inputs.enumerated() where other != index {
                    product *= load(frame[factor.tensor.value], at: i, of: count)
                }
                if input.accumulates { product += load(dx, at: i, of: count) }
                store(dx, at: i, of: count, product)
            }
        }
    }
}
