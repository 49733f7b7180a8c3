import Tensors

/// What the four global pooling layers share: one number for each channel from all real positions.
struct GlobalPoolingOptions: Sendable {
    let pooling: Pooling
    let axes: Int
    let kind: String

    func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank == axes + 1 else {
            let wanted = axes == 2 ? "[height, width, channels]" : "[steps, channels]"
            throw LearningError(.model, "a \(kind) layer takes one input of the shape \(wanted)")
        }
        return try learning { () throws(TensorError) in try Shape([inputs[0].last]) }
    }

    func bind(_ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder) throws(LearningError) -> BoundLayer {
        let output = plan.output(try outputShape(inputs.map(\.tensor.shape)))
        let shape = inputs[0].tensor.shape
        var mask = inputs[0].tensor.mask
        if mask?.steps != shape.leading { mask = nil }
        return BoundLayer(
            output: output,
            step: GlobalPoolingStep(
                input: inputs[0], output: output, pooling: pooling, positions: shape.leading, channels: shape.last,
                mask: mask))
    }

    /// The forward pass of one sample, spelt out.
    func reference(_ x: [Double], channels: Int, isReal: [Bool]?) -> [Double] {
        (0..<channels).map { c in
            let values = (0..<(x.count / channels)).filter { isReal?[$0] ?? true }.map { x[$0 * channels + c] }
            if values.isEmpty { return 0 }
            return switch pooling {
            case .maximum: values.max() ?? 0
            case .average: values.reduce(0, +) / Double(values.count)
            }
        }
    }
}

private struct GlobalPoolingStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let pooling: Pooling
    let positions: Int
    let channels: Int
    let mask: Mask?

    /// 1 where a position is real.
    @inline(__always)
    private func isReal(_ tokens: FloatPointer?, _ position: Int) -> Bool {
        guard let tokens else { return true }
        return tokens[position] != 0
    }

    private func count(_ tokens: FloatPointer?) -> Int {
        guard let tokens else { return positions }
        var count = 0
        for position in 0..<positions where tokens[position] != 0 { count += 1 }
        return count
    }

    func forward(_ frame: Frame) {
        for row in 0..<frame.rows {
            let x = frame[input.tensor.value] + row * positions * channels
            let y = frame[output.value] + row * channels
            let tokens = mask.map { frame[$0.tokens] + row * positions }
            y.update(repeating: 0, count: channels)
            switch pooling {
            case .average:
                let factor = 1 / Float(max(count(tokens), 1))
                if tokens == nil {
                    addRowSums(x, rows: positions, columns: channels, into: y)
                } else {
                    for position in 0..<positions where isReal(tokens, position) {
                        for c in 0..<channels { y[c] += x[position * channels + c] }
                    }
                }
                for c in 0..<channels { y[c] *= factor }
            case .maximum:
                var isFirst = true
                for position in 0..<positions where isReal(tokens, position) {
                    let from = x + position * channels
                    if isFirst {
                        y.update(from: from, count: channels)
                    } else {
                        for c in 0..<channels { y[c] = y[c] < from[c] || from[c].isNaN ? from[c] : y[c] }
                    }
                    isFirst = false
                }
            }
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        for row in 0..<frame.rows {
            let x = frame[input.tensor.value] + row * positions * channels
            let dx = frame[to] + row * positions * channels
            let y = frame[output.value] + row * channels
            let dy = frame[from] + row * channels
            let tokens = mask.map { frame[$0.tokens] + row * positions }
            if !input.accumulates { dx.update(repeating: 0, count: positions * channels) }
            switch pooling {
            case .average:
                let factor = 1 / Float(max(count(tokens), 1))
                for position in 0..<positions where isReal(tokens, position) {
                    let to = dx + position * channels
                    for c in 0..<channels { to[c] += factor * dy[c] }
                }
            case .maximum:
                // To the first of the largest; what is given away leaves 0 in dy.
                for position in 0..<positions where isReal(tokens, position) {
                    for c in 0..<channels {
                        let part = y[c] - x[position * channels + c] > 0 ? 0 : dy[c]
                        dx[position * channels + c] += part
                        dy[c] -= part
                    }
                }
            }
        }
    }
}
