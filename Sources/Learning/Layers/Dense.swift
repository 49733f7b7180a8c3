package import Tensors

/// `y = activation(x W + b)` over the last axis.
///
/// `x [..., f]`, `W [f, units]` (kernel), `b [units]` (bias), `y [..., units]`.
package struct Dense: Layer {
    package static let kind = "dense"

    package var units: Int
    package var activation: Activation
    package var usesBias: Bool
    package var kernelInitializer: KernelInitializer

    package init(
        units: Int, activation: Activation = .linear, usesBias: Bool = true,
        kernelInitializer: KernelInitializer = .glorotUniform
    ) {
        self.units = units
        self.activation = activation
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
    }

    package var splitOutputActivation: (layer: any Layer, activation: Activation)? {
        var linear = self
        linear.activation = .linear
        return (linear, activation)
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank >= 1 else {
            throw LearningError(.model, "a dense layer takes one input with at least one axis")
        }
        return try learning { () throws(TensorError) in try inputs[0].replacingLast(with: units) }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let features = inputs[0].tensor.shape.last
        let kernelShape = try learning { () throws(TensorError) in try Shape([features, units]) }
        let biasShape = try learning { () throws(TensorError) in try Shape([units]) }
        let kernel = plan.parameter(
            "kernel", kernelShape, kernelInitializer.initializer(fanIn: features, fanOut: units))
        let bias = usesBias ? plan.parameter("bias", biasShape, .zeros) : nil
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        let product = FewRowsProduct(depth: plan.rows * shape.leading, rows: features, columns: units)
        return BoundLayer(
            output: output,
            step: DenseStep(
                input: inputs[0], output: output, kernel: kernel, bias: bias,
                activation: BoundActivation(activation, output: output, &plan), features: features, units: units,
                vectors: shape.leading, kernelProduct: product,
                productScratch: product.pays ? plan.scratch(perShard: product.scratchCount, .backward) : nil))
    }

    /// The forward pass of one vector, spelt out.
    package func reference(_ x: [Double], kernel: [Double], bias: [Double]) -> [Double] {
        activation.reference(
            (0..<units).map { unit in
                x.indices.reduce(bias.isEmpty ? 0 : bias[unit]) { $0 + x[$1] * kernel[$1 * units + unit] }
            })
    }
}

private struct DenseStep: LayerStep {
    let input: LayerInput
    let output: Tensor
    let kernel: ParameterSlot
    let bias: ParameterSlot?
    let activation: BoundActivation
    let features: Int
    let units: Int
    /// Vectors in one sample.
    let vectors: Int
    let kernelProduct: FewRowsProduct
    /// Nil where the library is faster.
    let productScratch: Slot?

    func forward(_ frame: Frame) throws(TensorError) {
        let rows = frame.rows * vectors
        try gemm(
            MatrixView(frame[input.tensor.value], rows: rows, columns: features),
            MatrixView(frame.weights(kernel), rows: features, columns: units), bias: bias.map { frame.weights($0) },
            into: MatrixView(frame[activation.argument], rows: rows, columns: units))
        activation.apply(frame, rows: rows, columns: units)
    }

    func backward(_ frame: Frame) throws(TensorError) {
        guard let gradient = output.gradient else { return }
        let rows = frame.rows * vectors
        let dy = frame[gradient]
        activation.differentiate(frame, dy, rows: rows, columns: units)
        let dyMatrix = MatrixView(dy, rows: rows, columns: units)
        // dW = x' dy
        let x = frame[input.tensor.value]
        if let productScratch {
            kernelProduct.multiply(
                x, dy, depth: rows, into: frame.gradient(kernel), scratch: frame[productScratch])
        } else {
            try gemm(
                MatrixView(x, rows: rows, columns: features).transposed, dyMatrix,
                into: MatrixView(frame.gradient(kernel), rows: features, columns: units))
        }
        // db = the sum of dy over the rows
        if let bias { sumRows(dy, rows: rows, columns: units, into: frame.gradient(bias)) }
        if let inputGradient = input.tensor.gradient {
            // dx = dy W'
            try gemm(
                dyMatrix, MatrixView(frame.weights(kernel), rows: features, columns: units).transposed,
                into: MatrixView(frame[inputGradient], rows: rows, columns: features), beta: input.beta)
        }
    }
}
