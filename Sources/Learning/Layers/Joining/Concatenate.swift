package import Tensors

/// The inputs side by side along the last axis: `a [..., m]` and `b [..., n]` give `y [..., m + n]`.
package struct Concatenate: Layer {
    package static let kind = "concatenate"

    package init() {}

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count >= 2, let first = inputs.first, first.rank >= 1 else {
            throw LearningError(.model, "a concatenate layer takes at least two inputs with at least one axis")
        }
        for shape in inputs where shape.dimensions.dropLast() != first.dimensions.dropLast() {
            throw LearningError(
                .model, "a concatenate layer takes inputs that differ in the last axis alone, not \(first) and \(shape)"
            )
        }
        let last = inputs.reduce(0) { $0 + $1.last }
        return try learning { () throws(TensorError) in try first.replacingLast(with: last) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(firstMask(inputs))
        return BoundLayer(output: output, step: ConcatenateStep(inputs: inputs, output: output))
    }
}

private struct ConcatenateStep: LayerStep {
    let inputs: [LayerInput]
    let output: Tensor

    func forward(_ frame: Frame) {
        let total = output.shape.last
        var y = frame[output.value]
        for input in inputs {
            let width = input.tensor.shape.last
            let x = frame[input.tensor.value]
            for row in 0..<(frame.rows * output.shape.leading) {
                (y + row * total).update(from: x + row * width, count: width)
            }
            y += width
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        let total = output.shape.last
        var dy = frame[from]
        for input in inputs {
            let width = input.tensor.shape.last
            if let to = input.tensor.gradient {
                let dx = frame[to]
                for row in 0..<(frame.rows * output.shape.leading) {
                    copy(width, dy + row * total, into: dx + row * width, accumulate: input.accumulates)
                }
            }
            dy += width
        }
    }
}
