package import Tensors

/// A vector for each token: `y[i] = scale E[token i]`.
///
/// `x [steps]` (tokens, whole numbers from 0 to `inputDim - 1`), `E [inputDim, outputDim]` (embeddings), `y [steps, outputDim]`;
/// in general one axis more than `x` has.
package struct Embedding: Layer {
    package static let kind = "embedding"

    /// The number of tokens there are.
    package var inputDim: Int
    package var outputDim: Int
    /// Token 0 is padding: later layers are told by a mask.
    package var maskZero: Bool
    /// What the vectors are multiplied by, such as `sqrt(outputDim)`: Vaswani et al., "Attention is all you need", 2017, 3.4.
    package var scale: Float
    /// Uniform in ±0.05 unless told otherwise, as Keras.
    package var initializer: Initializer
    /// A later layer reads the matrix too (``TiedDense``), and writes its gradient first. Set by the network.
    package internal(set) var isTied = false

    package init(
        inputDim: Int, outputDim: Int, maskZero: Bool = false, scale: Float = 1,
        initializer: Initializer = .uniform(0.05)
    ) {
        self.initializer = initializer
        self.inputDim = inputDim
        self.outputDim = outputDim
        self.maskZero = maskZero
        self.scale = scale
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1 else { throw LearningError(.model, "an embedding layer takes one input") }
        if maskZero, inputs[0].rank != 1 {
            throw LearningError(.model, "mask-zero needs a sequence of tokens, not samples of \(inputs[0])")
        }
        return try learning { () throws(TensorError) in try Shape(inputs[0].dimensions + [outputDim]) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let matrix = try learning { () throws(TensorError) in try Shape([inputDim, outputDim]) }
        let input = inputs[0].tensor
        var output = plan.output(shape)
        if maskZero {
            plan.keep(input.value)
            output = output.masked(Mask(tokens: input.value, steps: input.shape.count))
        }
        return BoundLayer(
            output: output,
            step: EmbeddingStep(
                input: inputs[0], output: output, embeddings: plan.parameter("embeddings", matrix, initializer),
                tokens: input.shape.count, inputDim: inputDim, outputDim: outputDim, scale: scale, isTied: isTied))
    }
}

private struct EmbeddingStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let embeddings: ParameterSlot
    /// In one sample.
    let tokens: Int
    let inputDim: Int
    let outputDim: Int
    let scale: Float
    let isTied: Bool

    func forward(_ frame: Frame) throws(TensorError) {
        let x = frame[input.tensor.value]
        let y = frame[output.value]
        let matrix = frame.weights(embeddings)
        let limit = Float(inputDim)
        let factor = Vector(repeating: scale)
        for i in 0..<(frame.rows * tokens) {
            let token = x[i]
            // A NaN fails the first comparison.
            guard token >= 0, token < limit, token == token.rounded(.down) else { throw unknown(token) }
            let from = matrix + Int(token) * outputDim
            if scale == 1 {
                (y + i * outputDim).update(from: from, count: outputDim)
            } else {
                map(outputDim, from, into: y + i * outputDim) { $0 * factor }
            }
        }
    }

    @inline(never)
    private func unknown(_ token: Float) -> TensorError {
        TensorError(.value, "a sample holds the token \(token); an embedding of \(inputDim) knows 0 to \(inputDim - 1)")
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        let x = frame[input.tensor.value]
        let dy = frame[from]
        let sum = frame.gradient(embeddings)
        if !isTied { sum.update(repeating: 0, count: inputDim * outputDim) }
        let factor = Vector(repeating: scale)
        for i in 0..<(frame.rows * tokens) {
            map(outputDim, dy + i * outputDim, into: sum + Int(x[i]) * outputDim, accumulate: true) { $0 * factor }
        }
        // Tokens are not learnt, though tests may ask for their gradient.
        if let to = input.tensor.gradient, !input.accumulates {
            frame[to].update(repeating: 0, count: frame.rows * tokens)
        }
    }
}
