package import Tensors

/// What a pooling layer makes of a window.
package enum Pooling: Sendable {
    case maximum
    case average
}

/// What the four pooling layers share.
struct PoolingOptions: Sendable {
    let pooling: Pooling
    let size: Extent
    let strides: Extent
    let padding: ConvolutionPadding

    func shape(height: Int, width: Int, channels: Int) throws(LearningError) -> PoolingShape {
        guard size.height > 0, size.width > 0, strides.height > 0, strides.width > 0 else {
            throw LearningError(.model, "pool-size and strides must be at least 1")
        }
        if padding == .causal { throw LearningError(.model, "pooling takes padding = \"valid\" or \"same\"") }
        return PoolingShape(
            height: try axis(height, size.height, strides.height, padding),
            width: try axis(width, size.width, strides.width, padding), channels: channels)
    }

    /// `[height, width, channels]`, or `[steps, channels]` with one axis.
    func shape(_ inputs: [Shape], axes: Int, kind: String) throws(LearningError) -> PoolingShape {
        guard inputs.count == 1, inputs[0].rank == axes + 1 else {
            let wanted = axes == 2 ? "[height, width, channels]" : "[steps, channels]"
            throw LearningError(.model, "a \(kind) layer takes one input of the shape \(wanted)")
        }
        let size = inputs[0].dimensions
        return try shape(height: axes == 2 ? size[0] : 1, width: size[axes - 1], channels: size[axes])
    }

    func outputShape(_ inputs: [Shape], axes: Int, kind: String) throws(LearningError) -> Shape {
        let shape = try shape(inputs, axes: axes, kind: kind)
        let size = axes == 2 ? [shape.height.output, shape.width.output] : [shape.width.output]
        return try learning { () throws(TensorError) in try Shape(size + [shape.channels]) }
    }

    func bind(
        _ inputs: [LayerInput], axes: Int, kind: String, _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shapes = inputs.map(\.tensor.shape)
        let shape = try shape(shapes, axes: axes, kind: kind)
        let output = plan.output(try outputShape(shapes, axes: axes, kind: kind))
        return BoundLayer(
            output: output, step: PoolingStep(input: inputs[0], output: output, shape: shape, pooling: pooling))
    }
}

private struct PoolingStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let shape: PoolingShape
    let pooling: Pooling

    func forward(_ frame: Frame) {
        for row in 0..<frame.rows {
            let x = frame[input.tensor.value] + row * shape.inputCount
            let y = frame[output.value] + row * shape.outputCount
            switch pooling {
            case .maximum: shape.maximum(x, into: y)
            case .average: shape.average(x, into: y)
            }
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        for row in 0..<frame.rows {
            let dx = frame[to] + row * shape.inputCount
            let dy = frame[from] + row * shape.outputCount
            switch pooling {
            case .maximum:
                shape.maximumGradient(
                    dy, x: frame[input.tensor.value] + row * shape.inputCount,
                    y: frame[output.value] + row * shape.outputCount, into: dx, accumulate: input.accumulates)
            case .average:
                shape.averageGradient(dy, into: dx, accumulate: input.accumulates)
            }
        }
    }
}

extension PoolingShape {
    /// What the kernels must compute, for one image.
    package func reference(_ x: [Double], _ pooling: Pooling) -> [Double] {
        var y: [Double] = []
        for oy in 0..<height.output {
            for ox in 0..<width.output {
                for c in 0..<channels {
                    var window: [Double] = []
                    for ky in 0..<height.kernel {
                        for kx in 0..<width.kernel {
                            let iy = oy * height.stride + ky - height.before
                            let ix = ox * width.stride + kx - width.before
                            guard 0..<height.input ~= iy, 0..<width.input ~= ix else { continue }
                            window.append(x[(iy * width.input + ix) * channels + c])
                        }
                    }
                    switch pooling {
                    case .maximum: y.append(window.max() ?? 0)
                    case .average: y.append(window.reduce(0, +) / Double(window.count))
                    }
                }
            }
        }
        return y
    }
}
