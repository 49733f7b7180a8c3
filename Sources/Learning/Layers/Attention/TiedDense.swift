package import Tensors

/// `y = activation(x E' + b)` with the matrix of an earlier embedding: Press and Wolf, "Using the output embedding to improve
/// language models", 2017.
///
/// `x [..., d]`, `E [tokens, d]`, `b [tokens]` (bias), `y [..., tokens]`.
package struct TiedDense: Layer {
    package static let kind = "tied-dense"

    /// The name of the embedding layer.
    package var embedding: String
    package var activation: Activation
    package var usesBias: Bool

    package init(embedding: String, activation: Activation = .linear, usesBias: Bool = true) {
        self.embedding = embedding
        self.activation = activation
        self.usesBias = usesBias
    }

    /// Set with the embedding, which knows the number of tokens.
    package internal(set) var units = 1

    package var splitOutputActivation: (layer: any Layer, activation: Activation)? {
        var linear = self
        linear.activation = .linear
        return (linear, activation)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank >= 1 else {
            throw LearningError(.model, "a tied-dense layer takes one input with at least one axis")
        }
        return try learning { () throws(TensorError) in try inputs[0].replacingLast(with: units) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        guard let matrix = plan.existing(embedding + ".embeddings") else {
            throw LearningError(.model, "there is no embedding layer \"\(embedding)\" before a tied-dense layer")
        }
        let features = inputs[0].tensor.shape.last
        guard matrix.shape.last == features else {
            throw LearningError(
                .model,
                "vectors of \(features) values do not fit the embedding \"\(embedding)\" of \(matrix.shape.last)")
        }
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let biasShape = try learning { () throws(TensorError) in try Shape([units]) }
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        return BoundLayer(
            output: output,
            step: TiedDenseStep(
                input: inputs[0], output: output, embeddings: matrix.slot,
                bias: usesBias ? plan.parameter("bias", biasShape, .zeros) : nil,
                activation: BoundActivation(activation, output: output, &plan), features: features, units: units,
                vectors: shape.leading))
    }
}

private struct TiedDenseStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let embeddings: ParameterSlot
    let bias: ParameterSlot?
    let activation: BoundActivation
    let features: Int
    let units: Int
    /// Vectors in one sample.
    let vectors: Int

    func forward(_ frame: Frame) throws(TensorError) {
        let rows = frame.rows * vectors
        try gemm(
            MatrixView(frame[input.tensor.value], rows: rows, columns: features),
            MatrixView(frame.weights(embeddings), rows: units, columns: features).transposed,
            bias: bias.map { frame.weights($0) },
            into: MatrixView(frame[activation.argument], rows: rows, columns: units))
        activation.apply(frame, rows: rows, columns: units)
    }

    func backward(_ frame: Frame) throws(TensorError) {
        guard let gradient = output.gradient else { return }
        let rows = frame.rows * vectors
        let dy = frame[gradient]
        activation.differentiate(frame, dy, rows: rows, columns: units)
        let dyMatrix = MatrixView(dy, rows: rows, columns: units)
        // dE = dy' x; the embedding adds its part afterwards.
        try gemm(
            dyMatrix.transposed, MatrixView(frame[input.tensor.value], rows: rows, columns: features),
            into: MatrixView(frame.gradient(embeddings), rows: units, columns: features))
        if let bias { sumRows(dy, rows: rows, columns: units, into: frame.gradient(bias)) }
        if let inputGradient = input.tensor.gradient {
            // dx = dy E
            try gemm(
                dyMatrix, MatrixView(frame.weights(embeddings), rows: units, columns: features),
                into: MatrixView(frame[inputGradient], rows: rows, columns: features), beta: input.beta)
        }
    }
}
