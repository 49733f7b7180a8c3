package import Tensors

/// Drops values at random while training, and scales the others so that the mean stays; gives `x` itself otherwise.
/// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014. Any shape.
///
/// Which values are dropped is not stored: backward draws the same numbers again.
package struct Dropout: Layer {
    package static let kind = "dropout"

    /// The part that is dropped: at least 0 and below 1.
    package var rate: Double

    package init(rate: Double) {
        self.rate = rate
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1 else { throw LearningError(.model, "a dropout layer takes one input") }
        guard rate >= 0, rate < 1 else {
            throw LearningError(.model, "a dropout layer's rate is at least 0 and below 1, not \(rate)")
        }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(
            output: output,
            step: DropoutStep(input: inputs[0], output: output, mask: DropoutMask(rate: rate), salt: plan.salt))
    }
}

private struct DropoutStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let mask: DropoutMask
    let salt: UInt64

    func forward(_ frame: Frame) {
        let count = frame.rows * output.shape.count
        let x = frame[input.tensor.value]
        let y = frame[output.value]
        if frame.isTraining {
            mask.apply(
                x, into: y, count: count, accumulate: false, SplitMix64(seed: frame.randomKey, stream: salt))
        } else {
            y.update(from: x, count: count)
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient, let to = input.tensor.gradient else { return }
        mask.apply(
            frame[from], into: frame[to], count: frame.rows * output.shape.count, accumulate: input.accumulates,
            SplitMix64(seed: frame.randomKey, stream: salt))
    }
}
