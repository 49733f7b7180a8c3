import CKernels
package import Tensors

/// `y = activation(a + b + ...)`: a residual connection. All inputs have one shape.
package struct Add: Layer {
    package static let kind = "add"

    /// A function that needs its output alone for its derivative.
    package var activation: Activation

    package init(activation: Activation = .linear) {
        self.activation = activation
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        try sameShape(inputs, "an add layer")
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        if activation != .linear && activation != .relu {
            throw LearningError(.model, "an add layer has activation = \"linear\" or \"relu\"")
        }
        let output = plan.output(shape).masked(firstMask(inputs))
        return BoundLayer(
            output: output, step: AddStep(inputs: inputs, output: output, isRelu: activation == .relu))
    }
}

/// The shape that all inputs have.
func sameShape(_ inputs: [Shape], _ what: String) throws(LearningError) -> Shape {
    guard inputs.count >= 2 else { throw LearningError(.model, "\(what) takes at least two inputs") }
    for shape in inputs where shape != inputs[0] {
        throw LearningError(.model, "\(what) takes inputs of one shape, not \(inputs[0]) and \(shape)")
    }
    return inputs[0]
}

/// The mask of the first input that has one.
func firstMask(_ inputs: [LayerInput]) -> Mask? {
    for input in inputs { if let mask = input.tensor.mask { return mask } }
    return nil
}

private struct AddStep: LayerStep {
    let inputs: [LayerInput]
    let output: Tensor
    let isRelu: Bool

    /// Floats that stay in the cache while all inputs have their turn.
    private static let block = 2048

    func forward(_ frame: Frame) {
        let total = frame.rows * output.shape.count
        let zero = Vector(repeating: 0)
        for start in stride(from: 0, to: total, by: AddStep.block) {
            let count = min(AddStep.block, total - start)
            let y = frame[output.value] + start
            let (a, b) = (frame[inputs[0].tensor.value] + start, frame[inputs[1].tensor.value] + start)
            if isRelu && inputs.count == 2 {
                map(count, a, b, into: y) { mld_max($0 + $1, zero) }
                continue
            }
            map(count, a, b, into: y) { $0 + $1 }
            for i in 2..<inputs.count {
                copy(count, frame[inputs[i].tensor.value] + start, into: y, accumulate: true)
            }
            if isRelu { map(count, y, into: y) { mld_max($0, zero) } }
        }
    }

    func backward(_ frame: Frame) {
        guard let from = output.gradient else { return }
        let total = frame.rows * output.shape.count
        let zero = Vector(repeating: 0)
        for start in stride(from: 0, to: total, by: AddStep.block) {
            let count = min(AddStep.block, total - start)
            let (y, dy) = (frame[output.value] + start, frame[from] + start)
            for input in inputs {
                guard let to = input.tensor.gradient else { continue }
                if isRelu {
                    map(count, dy, y, into: frame[to] + start, accumulate: input.accumulates) {
                        mld_select_positive($1, $0, zero)
                    }
                } else {
                    copy(count, dy, into: frame[to] + start, accumulate: input.accumulates)
                }
            }
        }
    }
}
