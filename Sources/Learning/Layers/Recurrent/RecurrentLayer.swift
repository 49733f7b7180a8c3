package import Tensors

/// What the recurrent layers have in common, which is all but their cells.
///
/// At positions that are padding the state is carried on unchanged, as in Keras; so is the output of a sequence, unless
/// the layer is bidirectional, when it is zero there.
package protocol RecurrentLayer: Layer {
    associatedtype Cell: RecurrentCell

    var units: Int { get }
    /// Gives the output of each position, not the last one's alone.
    var returnsSequences: Bool { get }
    var isBidirectional: Bool { get }
}

extension RecurrentLayer {
    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard inputs.count == 1, inputs[0].rank == 2 else {
            throw LearningError(
                .model, "a \(kind) layer takes one input of two axes, steps and features, such as an embedding gives")
        }
        let (width, overflow) = units.multipliedReportingOverflow(by: isBidirectional ? 2 : 1)
        guard !overflow else { throw LearningError(.model, "no layer can have \(units) units") }
        return try learning { () throws(TensorError) in
            try Shape(returnsSequences ? [inputs[0].dimensions[0], width] : [width])
        }
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let input = inputs[0].tensor
        let (steps, features) = (input.shape.dimensions[0], input.shape.dimensions[1])
        if let mask = input.mask, mask.steps != steps {
            throw LearningError(.model, "a mask of \(mask.steps) positions does not fit a sequence of \(steps)")
        }
        let output = plan.output(shape).masked(returnsSequences ? input.mask : nil)
        let layout = RecurrentLayout(
            steps: steps, features: features, units: units, width: shape.last, returnsSequences: returnsSequences)
        let scratch = RecurrentScratch(Cell.self, layout, learnsInput: input.gradient != nil, &plan)
        func pass(
            _ prefix: String, _ input: LayerInput, isReversed: Bool, _ plan: inout MemoryPlan.Builder
        ) throws(LearningError) -> RecurrentPass<Cell> {
            try RecurrentPass(
                prefix: prefix, input: input, output: output, layout: layout, scratch: scratch, isReversed: isReversed,
                &plan)
        }
        guard isBidirectional else {
            let only = try pass("", inputs[0], isReversed: false, &plan)
            return BoundLayer(output: output, step: RecurrentStep(first: only, second: nil))
        }
        let first = try pass("forward.", inputs[0], isReversed: false, &plan)
        // Runs after the first, and so adds to its gradient of the input.
        let again = LayerInput(tensor: input, accumulates: true, isShared: inputs[0].isShared)
        let second = try pass("backward.", again, isReversed: true, &plan)
        return BoundLayer(output: output, step: RecurrentStep(first: first, second: second))
    }

    /// The forward pass of one sample, spelt out.
    ///
    /// - Parameters:
    ///   - x: the features at each step.
    ///   - isReal: false where a step is padding.
    ///   - weights: of each direction.
    /// - Returns: the output of each step, or the last one alone.
    package func reference(_ x: [[Double]], isReal: [Bool], _ weights: [RecurrentWeights]) -> [[Double]] {
        let directions = weights.enumerated().map { direction, weights in
            let order = direction == 0 ? Array(x.indices) : x.indices.reversed()
            var outputs = [[Double]](repeating: [], count: x.count)
            let zero = [Double](repeating: 0, count: units)
            var state = ReferenceState(output: zero, cell: zero)
            for step in order {
                if isReal[step] { state = Cell.reference(x[step], state, weights) }
                outputs[step] = isBidirectional && !isReal[step] ? zero : state.output
            }
            return returnsSequences ? outputs : [state.output]
        }
        return directions[0].indices.map { step in directions.flatMap { $0[step] } }
    }
}
