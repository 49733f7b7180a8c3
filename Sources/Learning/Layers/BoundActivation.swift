import Tensors

/// The activation at a layer's end with its place in memory: the layer writes the function's argument where
/// ``argument`` says, which is the output's own place unless backward needs the argument too.
struct BoundActivation {
    let activation: Activation
    let argument: Slot
    private let output: Slot

    /// - Parameter output: of the layer being bound.
    init(_ activation: Activation, output: Tensor, _ plan: inout MemoryPlan.Builder) {
        self.activation = activation
        self.output = output.value
        argument =
            activation.needsArgument ? plan.scratch(perSample: output.shape.count, .throughout) : output.value
    }

    /// From the argument gives the output: `[rows][columns]`.
    func apply(_ frame: Frame, rows: Int, columns: Int) {
        activation.apply(frame[argument], into: frame[output], rows: rows, columns: columns)
    }

    /// Turns the gradient of the output into that of the argument, in place.
    func differentiate(_ frame: Frame, _ gradient: FloatPointer, rows: Int, columns: Int) {
        activation.differentiate(
            gradient, output: frame[output], argument: frame[argument], rows: rows, columns: columns)
    }
}
