package import Tensors

/// `y = activation(gamma (x - mean) / sqrt(variance + epsilon) + beta)` over the last axis: Ioffe and Szegedy, "Batch
/// normalization: accelerating deep network training by reducing internal covariate shift", 2015.
///
/// `x [..., c]`, `gamma`, `beta`, `moving-mean` and `moving-variance [c]`, `y` as `x`. In training, mean and variance are
/// those of the shard's part of the batch, over all axes but the last: ghost batch normalisation, Hoffer, Hubara and
/// Soudry, "Train longer, generalize better", 2017. The moving values follow the shards' mean, weighted by their sizes;
/// evaluation uses them. As in Keras, the variance is the population's. Padding counts as any other position.
package struct BatchNormalization: Layer {
    package static let kind = "batch-normalization"

    package var momentum: Float
    package var epsilon: Float
    package var activation: Activation

    package init(momentum: Float = 0.99, epsilon: Float = 1e-3, activation: Activation = .linear) {
        self.momentum = momentum
        self.epsilon = epsilon
        self.activation = activation
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank >= 1 else {
            throw LearningError(.model, "a batch-normalization layer takes one input with at least one axis")
        }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        if activation == .softmax {
            throw LearningError(.model, "a batch-normalization layer has no activation = \"softmax\"")
        }
        let channels = shape.last
        let one = try learning { () throws(TensorError) in try Shape([channels]) }
        let gamma = plan.parameter("gamma", one, .ones)
        let beta = plan.parameter("beta", one, .zeros)
        let mean = plan.state("moving-mean", one, .zeros, momentum: momentum)
        let variance = plan.state("moving-variance", one, .ones, momentum: momentum)
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(
            output: output,
            step: BatchNormalizationStep(
                input: inputs[0], output: output, gamma: gamma, beta: beta, movingMean: mean,
                movingVariance: variance, epsilon: epsilon, activation: activation, channels: channels,
                statistics: plan.scratch(perShard: 2 * channels, .throughout),
                forwardScratch: plan.scratch(perShard: 2 * channels, .forward),
                backwardScratch: plan.scratch(perShard: 3 * channels, .backward)))
    }

    /// The pass of a batch `[rows][channels]` in training, and its gradients.
    package func reference(
        _ x: [Double], gamma: [Double], beta: [Double], gradient dy: [Double]
    ) -> (y: [Double], dx: [Double], dgamma: [Double], dbeta: [Double], mean: [Double], variance: [Double]) {
        let channels = gamma.count
        let n = Double(x.count / channels)
        var (y, dx) = (x, x)
        var (dgamma, dbeta, means, variances) = (gamma, gamma, gamma, gamma)
        for c in 0..<channels {
            let at = Array(stride(from: c, to: x.count, by: channels))
            let mean = at.reduce(0) { $0 + x[$1] } / n
            let variance = at.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / n
            let inverse = 1 / (variance + Double(epsilon)).squareRoot()
            var masked = dy
            for i in at {
                let value = activation.reference([gamma[c] * (x[i] - mean) * inverse + beta[c]])[0]
                if activation == .relu && value <= 0 { masked[i] = 0 }
                y[i] = value
            }
            (means[c], variances[c]) = (mean, variance)
            dbeta[c] = at.reduce(0) { $0 + masked[$1] }
            dgamma[c] = at.reduce(0) { $0 + masked[$1] * (x[$1] - mean) * inverse }
            for i in at {
                dx[i] =
                    gamma[c] * inverse * (masked[i] - dbeta[c] / n - (x[i] - mean) * inverse * dgamma[c] / n)
            }
        }
        return (y, dx, dgamma, dbeta, means, variances)
    }
}

private struct BatchNormalizationStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let gamma: ParameterSlot
    let beta: ParameterSlot
    let movingMean: ParameterSlot
    let movingVariance: ParameterSlot
    let epsilon: Float
    let activation: Activation
    let channels: Int
    /// The means and the variances of this step.
    let statistics: Slot
    let forwardScratch: Slot
    let backwardScratch: Slot

    func forward(_ frame: Frame) {
        let (x, y) = (frame[input.tensor.value], frame[output.value])
        let rows = frame.rows * output.shape.leading
        var (mean, variance) = (frame.weights(movingMean), frame.weights(movingVariance))
        let scale = frame[forwardScratch]
        let shift = scale + channels
        if frame.isTraining {
            mean = frame[statistics]
            variance = mean + channels
            ChannelStatistics.moments(
                x, rows: rows, columns: channels, mean: mean, variance: variance, scratch: scale)
        }
        let (g, b) = (frame.weights(gamma), frame.weights(beta))
        for c in 0..<channels {
            scale[c] = g[c] / (variance[c] + epsilon).squareRoot()
            shift[c] = b[c] - mean[c] * scale[c]
        }
        ChannelStatistics.affine(
            x, rows: rows, columns: channels, scale: scale, shift: shift, into: y, relu: activation == .relu)
        if activation != .relu && activation != .linear {
            activation.apply(y, rows: rows, columns: channels)
        }
    }

    func backward(_ frame: Frame) {
        guard let gradient = output.gradient else { return }
        let (x, y, dy) = (frame[input.tensor.value], frame[output.value], frame[gradient])
        let rows = frame.rows * output.shape.leading
        let mean = frame[statistics]
        let variance = mean + channels
        let (dgamma, dbeta) = (frame.gradient(gamma), frame.gradient(beta))
        let (meanSeen, varianceSeen) = (frame.gradient(movingMean), frame.gradient(movingVariance))
        for c in 0..<channels {
            meanSeen[c] = frame.share * mean[c]
            varianceSeen[c] = frame.share * variance[c]
        }
        if activation != .relu && activation != .linear {
            activation.differentiate(dy, output: y, count: rows * channels)
        }
        ChannelStatistics.gradientSums(
            dy, x: x, y: activation == .relu ? y : nil, rows: rows, columns: channels, mean: mean, sums: dbeta,
            products: dgamma)
        // dx = gamma r (dy - dbeta / n - (x - mean) r dgamma / n) with r = 1 / sqrt(variance + epsilon).
        let g = frame.weights(gamma)
        let a = frame[backwardScratch]
        let (b, k) = (a + channels, a + 2 * channels)
        for c in 0..<channels {
            let r = 1 / (variance[c] + epsilon).squareRoot()
            dgamma[c] *= r
            a[c] = g[c] * r
            b[c] = -a[c] * r * dgamma[c] / Float(rows)
            k[c] = -a[c] * dbeta[c] / Float(rows) - b[c] * mean[c]
        }
        if let to = input.tensor.gradient {
            ChannelStatistics.inputGradient(
                dy, x: x, rows: rows, columns: channels, a: a, b: b, c: k, into: frame[to],
                accumulate: input.accumulates)
        }
    }
}
