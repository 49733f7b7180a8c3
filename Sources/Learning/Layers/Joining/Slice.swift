package import Tensors

/// Part of the last axis: `x [..., n]`, `y [..., size]` with `y[j] = x[start + j]`.
package struct Slice: Layer {
    package static let kind = "slice"

    package var start: Int
    package var size: Int

    package init(start: Int, size: Int) {
        self.start = start
        self.size = size
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank >= 1 else {
            throw LearningError(.model, "a slice layer takes one input with at least one axis")
        }
        guard start >= 0, size >= 1, size <= inputs[0].last, start <= inputs[0].last - size else {
            throw LearningError(.model, "\(inputs[0]) has no \(size) values from \(start) in its last axis")
        }
        return try learning { () throws(TensorError) in try inputs[0].replacingLast(with: size) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(output: output, step: SliceStep(input: inputs[0], output: output, start: start))
    }
}

private struct SliceStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let start: Int

    func forward(_ frame: Frame) {
        let (width, size) = (input.tensor.shape.last, output.shape.last)
        let x = frame[input.tensor.value] + start
        let y = frame[output.value]
        for row in 0..<(frame.rows * output.shape.leading) {
            (y + row * size).update(from: x + row * width, count: size)
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        let (width, size) = (input.tensor.shape.last, output.shape.last)
        let dx = frame[to]
        let dy = frame[from]
        let rows = frame.rows * output.shape.leading
        if !input.accumulates { dx.update(repeating: 0, count: rows * width) }
        for row in 0..<rows {
            copy(size, dy + row * size, into: dx + row * width + start, accumulate: input.accumulates)
        }
    }
}
