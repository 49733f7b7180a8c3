import Tensors

/// `y = x W + b` within a larger layer.
///
/// `x [vectors][features]`, `W [features, units]`, `b [units]`, `y [vectors][units]`.
struct Projection {
    private let kernel: ParameterSlot
    private let bias: ParameterSlot?
    private let features: Int
    private let units: Int

    /// - Parameters:
    ///   - name: what the parameters' names begin with.
    ///   - fanOut: outputs of each input, where this is a part of a larger matrix.
    init(
        _ name: String, features: Int, units: Int, fanOut: Int? = nil, usesBias: Bool,
        _ initializer: KernelInitializer, _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) {
        self.features = features
        self.units = units
        let matrix = try learning { () throws(TensorError) in try Shape([features, units]) }
        let vector = try learning { () throws(TensorError) in try Shape([units]) }
        kernel = plan.parameter(
            "\(name)-kernel", matrix, initializer.initializer(fanIn: features, fanOut: fanOut ?? units))
        bias = usesBias ? plan.parameter("\(name)-bias", vector, .zeros) : nil
    }

    func forward(_ frame: Frame, _ x: FloatPointer, vectors: Int, into y: FloatPointer) throws(TensorError) {
        try gemm(
            MatrixView(x, rows: vectors, columns: features),
            MatrixView(frame.weights(kernel), rows: features, columns: units), bias: bias.map { frame.weights($0) },
            into: MatrixView(y, rows: vectors, columns: units))
    }

    /// Writes the parameters' gradients, and that of the input if there is a place for it.
    func backward(
        _ frame: Frame, _ x: FloatPointer, _ dy: FloatPointer, vectors: Int, into dx: FloatPointer?, beta: Float
    ) throws(TensorError) {
        let gradient = MatrixView(dy, rows: vectors, columns: units)
        try gemm(
            MatrixView(x, rows: vectors, columns: features).transposed, gradient,
            into: MatrixView(frame.gradient(kernel), rows: features, columns: units))
        if let bias { sumRows(dy, rows: vectors, columns: units, into: frame.gradient(bias)) }
        if let dx {
            try gemm(
                gradient, MatrixView(frame.weights(kernel), rows: features, columns: units).transposed,
                into: MatrixView(dx, rows: vectors, columns: features), beta: beta)
        }
    }
}
