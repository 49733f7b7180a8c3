package import Tensors

/// Each pixel as a block of equal pixels: `x [height, width, channels]`, `y [height size, width size, channels]`.
package struct UpSampling2D: Layer {
    package static let kind = "up-sampling-2d"

    package var size: Extent

    package init(size: Extent = Extent(2)) { self.size = size }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank == 3 else {
            throw LearningError(
                .model, "an up-sampling-2d layer takes one input of the shape [height, width, channels]")
        }
        let from = inputs[0].dimensions
        return try learning { () throws(TensorError) in
            try Shape([from[0] * size.height, from[1] * size.width, from[2]])
        }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let output = plan.output(try outputShape(inputs.map(\.tensor.shape)))
        let from = inputs[0].tensor.shape.dimensions
        return BoundLayer(
            output: output,
            step: UpSampling2DStep(
                input: inputs[0], output: output, width: from[1], channels: from[2], size: size, height: from[0]))
    }

    /// The forward pass of one image, spelt out.
    package func reference(_ x: [Double], height: Int, width: Int, channels: Int) -> [Double] {
        var y: [Double] = []
        for row in 0..<(height * size.height) {
            for column in 0..<(width * size.width) {
                for c in 0..<channels {
                    y.append(x[(row / size.height * width + column / size.width) * channels + c])
                }
            }
        }
        return y
    }
}

private struct UpSampling2DStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let width: Int
    let channels: Int
    let size: Extent
    let height: Int

    func forward(_ frame: Frame) {
        let pitch = width * size.width * channels
        var (from, to) = (frame[input.tensor.value], frame[output.value])
        for _ in 0..<(frame.rows * height) {
            var pixel = to
            for _ in 0..<width {
                for _ in 0..<size.width {
                    pixel.update(from: from, count: channels)
                    pixel += channels
                }
                from += channels
            }
            for copy in 1..<max(size.height, 1) { (to + copy * pitch).update(from: to, count: pitch) }
            to += size.height * pitch
        }
    }

    func backward(_ frame: Frame) {
        guard let gradient = output.gradient, let inputGradient = input.tensor.gradient else { return }
        let pitch = width * size.width * channels
        var (from, to) = (frame[gradient], frame[inputGradient])
        for _ in 0..<(frame.rows * height) {
            for column in 0..<width {
                let corner = from + column * size.width * channels
                if !input.accumulates { to.update(repeating: 0, count: channels) }
                for y in 0..<size.height {
                    for x in 0..<size.width {
                        let pixel = corner + y * pitch + x * channels
                        for c in 0..<channels { to[c] += pixel[c] }
                    }
                }
                to += channels
            }
            from += size.height * pitch
        }
    }
}
