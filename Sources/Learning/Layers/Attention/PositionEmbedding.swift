package import Tensors

/// `y = x + P` with a vector learnt for each position: Gehring et al., "Convolutional sequence to sequence learning", 2017.
///
/// `x [steps, d]`, `P [maxLength, d]` (embeddings), of which the first `steps` rows are used, `y [steps, d]`.
package struct PositionEmbedding: Layer {
    package static let kind = "position-embedding"

    /// The longest sequence.
    package var maxLength: Int
    package var initializer: Initializer

    package init(maxLength: Int, initializer: Initializer = .uniform(0.05)) {
        self.maxLength = maxLength
        self.initializer = initializer
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank == 2 else {
            throw LearningError(.model, "a position-embedding layer takes one sequence of vectors")
        }
        guard inputs[0].leading <= maxLength else {
            throw LearningError(
                .model, "sequences of \(inputs[0].leading) steps are longer than max-length = \(maxLength)")
        }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let matrix = try learning { () throws(TensorError) in try Shape([maxLength, shape.last]) }
        let gradient = PassedGradient(inputs[0], &plan)
        // Learnt, so there is a gradient even where the input has none.
        let output = Tensor(
            shape: shape, value: plan.scratch(perSample: shape.count, .throughout),
            gradient: gradient.slot ?? plan.scratch(perSample: shape.count, .backward), mask: inputs[0].tensor.mask)
        return BoundLayer(
            output: output,
            step: PositionEmbeddingStep(
                input: inputs[0].tensor.value, output: output,
                embeddings: plan.parameter("embeddings", matrix, initializer), gradient: gradient))
    }
}

private struct PositionEmbeddingStep: LayerStep {
    let input: Slot
    let output: Tensor
    let embeddings: ParameterSlot
    let gradient: PassedGradient

    func forward(_ frame: Frame) {
        let count = output.shape.count
        for row in 0..<frame.rows {
            map(count, frame[input] + row * count, frame.weights(embeddings), into: frame[output.value] + row * count) {
                $0 + $1
            }
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        let count = output.shape.count
        let sum = frame.gradient(embeddings)
        sumRows(frame[from], rows: frame.rows, columns: count, into: sum)
        (sum + count).update(repeating: 0, count: embeddings.count - count)
        gradient.backward(frame)
    }
}
