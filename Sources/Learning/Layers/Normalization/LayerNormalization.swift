import CKernels
package import Tensors

/// `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, with the mean and the variance of each vector of the last axis:
/// Ba, Kiros and Hinton, "Layer normalization", 2016.
///
/// `x [..., n]`, `gamma [n]`, `beta [n]`, `y [..., n]`.
package struct LayerNormalization: Layer {
    package static let kind = "layer-normalization"

    package var epsilon: Float

    package init(epsilon: Float = 1e-3) {
        self.epsilon = epsilon
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank >= 1 else {
            throw LearningError(.model, "a layer-normalization layer takes one input with at least one axis")
        }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let vector = try learning { () throws(TensorError) in try Shape([shape.last]) }
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(
            output: output,
            step: LayerNormalizationStep(
                input: inputs[0], output: output, gamma: plan.parameter("gamma", vector, .ones),
                beta: plan.parameter("beta", vector, .zeros),
                moments: plan.scratch(perSample: 2 * shape.leading, .throughout), epsilon: epsilon))
    }

    /// The forward pass of one vector, spelt out.
    package func reference(_ x: [Double], gamma: [Double], beta: [Double]) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return x.indices.map { gamma[$0] * (x[$0] - mean) / (variance + Double(epsilon)).squareRoot() + beta[$0] }
    }
}

private struct LayerNormalizationStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let gamma: ParameterSlot
    let beta: ParameterSlot
    /// Of each vector its mean and 1 / sqrt(variance + epsilon).
    let moments: Slot
    let epsilon: Float

    func forward(_ frame: Frame) {
        let n = output.shape.last
        let gamma = frame.weights(gamma)
        let beta = frame.weights(beta)
        for row in 0..<(frame.rows * output.shape.leading) {
            let x = frame[input.tensor.value] + row * n
            let y = frame[output.value] + row * n
            var sum = Vector(repeating: 0)
            for i in stride(from: 0, to: n, by: lanes) { sum += load(x, at: i, of: n) }
            let mean = laneSum(sum) / Float(n)
            let center = Vector(repeating: mean)
            // From the deviations, not from the sum of squares, which would cancel.
            var squares = Vector(repeating: 0)
            var i = 0
            while i + lanes <= n {
                let deviation = load(x + i) - center
                squares = mld_fma(deviation, deviation, squares)
                i += lanes
            }
            var rest: Float = 0
            while i < n {
                rest += (x[i] - mean) * (x[i] - mean)
                i += 1
            }
            let inverse = 1 / ((laneSum(squares) + rest) / Float(n) + epsilon).squareRoot()
            let scale = Vector(repeating: inverse)
            for i in stride(from: 0, to: n, by: lanes) {
                let normal = (load(x, at: i, of: n) - center) * scale
                store(y, at: i, of: n, mld_fma(normal, load(gamma, at: i, of: n), load(beta, at: i, of: n)))
            }
            let kept = frame[moments] + 2 * row
            kept[0] = mean
            kept[1] = inverse
        }
    }

    /// With `z = (x - mean) / deviation` and `g = dy gamma`: `dx = (g - mean(g) - z mean(g z)) / deviation`.
    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        let n = output.shape.last
        let weights = frame.weights(gamma)
        let dgamma = frame.gradient(gamma)
        let dbeta = frame.gradient(beta)
        dgamma.update(repeating: 0, count: n)
        dbeta.update(repeating: 0, count: n)
        for row in 0..<(frame.rows * output.shape.leading) {
            let x = frame[input.tensor.value] + row * n
            let dy = frame[from] + row * n
            let kept = frame[moments] + 2 * row
            let center = Vector(repeating: kept[0])
            let scale = Vector(repeating: kept[1])
            var sum = Vector(repeating: 0)
            var product = Vector(repeating: 0)
            for i in stride(from: 0, to: n, by: lanes) {
                let d = load(dy, at: i, of: n)
                let z = (load(x, at: i, of: n) - center) * scale
                let g = d * load(weights, at: i, of: n)
                sum += g
                product = mld_fma(g, z, product)
                store(dgamma, at: i, of: n, mld_fma(d, z, load(dgamma, at: i, of: n)))
                store(dbeta, at: i, of: n, load(dbeta, at: i, of: n) + d)
            }
            guard let to = input.tensor.gradient else { continue }
            let dx = frame[to] + row * n
            let mean = Vector(repeating: laneSum(sum) / Float(n))
            let slope = Vector(repeating: laneSum(product) / Float(n))
            for i in stride(from: 0, to: n, by: lanes) {
                let z = (load(x, at: i, of: n) - center) * scale
                let g = load(dy, at: i, of: n) * load(weights, at: i, of: n)
                var value = (g - mean - z * slope) * scale
                if input.accumulates { value += load(dx, at: i, of: n) }
                store(dx, at: i, of: n, value)
            }
        }
    }
}
