import Tensors

/// The sizes of a recurrent layer.
struct RecurrentLayout: Sendable {
    let steps: Int
    let features: Int
    let units: Int
    /// Floats of one output vector: `units`, or twice as many when bidirectional.
    let width: Int
    let returnsSequences: Bool
    /// The output at padding is zero, not the state that is carried over it: so has it Keras's `Bidirectional` wrapper.
    var zeroesPadding: Bool { returnsSequences && width > units }

    /// What does not depend on the step before is computed for several steps at once, as many as make about this many
    /// rows: enough for products to run at full speed, few enough to stay in the cache of a core.
    static let chunk = 192

    /// Steps at once, for `rows` samples.
    func chunk(_ rows: Int) -> Int { min(max(RecurrentLayout.chunk / rows, 1), steps) }
}

/// Memory that the passes of a layer need only while they run, and so share.
struct RecurrentScratch: Sendable {
    /// The kernels, packed for forward and, transposed, for backward.
    let packedInput: Slot, packedState: Slot
    let transposedInput: Slot?, transposedState: Slot
    /// The inputs of a chunk, `[steps][rows][features]`, and their gradients.
    let forwardInputs: Slot, backwardInputs: Slot
    let inputGradients: Slot?
    /// `[rows][units]`
    let stateGradient: Slot
    let cellGradient: Slot?
    /// `[blocks][units]`
    let biasGradient: Slot

    init<Cell: RecurrentCell>(
        _ cell: Cell.Type, _ layout: RecurrentLayout, learnsInput: Bool, _ plan: inout MemoryPlan.Builder
    ) {
        let (features, units, columns) = (layout.features, layout.units, Cell.gates * layout.units)
        let inputCount = Cell.inputBlocks.reduce(0) {
            $0 + Panels.count(depth: features, columns: $1.count * units)
        }
        let transposedCount = Cell.inputBlocks.reduce(0) {
            $0 + Panels.count(depth: $1.count * units, columns: features)
        }
        let chunkRows = max(RecurrentLayout.chunk, plan.rows)
        packedInput = plan.scratch(perShard: inputCount, .forward)
        packedState = plan.scratch(perShard: Panels.count(depth: units, columns: columns), .forward)
        transposedInput = learnsInput ? plan.scratch(perShard: transposedCount, .backward) : nil
        transposedState = plan.scratch(perShard: Panels.count(depth: columns, columns: units), .backward)
        forwardInputs = plan.scratch(perShard: chunkRows * features, .forward)
        backwardInputs = plan.scratch(perShard: chunkRows * features, .backward)
        inputGradients = learnsInput ? plan.scratch(perShard: chunkRows * features, .backward) : nil
        stateGradient = plan.scratch(perSample: units, .backward)
        cellGradient = Cell.hasCellState ? plan.scratch(perSample: units, .backward) : nil
        biasGradient = plan.scratch(perShard: Cell.blocks * units, .backward)
    }
}

/// One reading of the sequence, from its start or from its end.
///
/// Inside, everything is ordered by time, `[steps][rows][...]`, so that a step's rows lie together; step `t` is the
/// `t`-th one read.
struct RecurrentPass<Cell: RecurrentCell>: Sendable {
    let input: LayerInput
    let output: Tensor
    let layout: RecurrentLayout
    let scratch: RecurrentScratch
    let isReversed: Bool
    let kernel: ParameterSlot
    let recurrentKernel: ParameterSlot
    let bias: ParameterSlot
    /// `[steps][rows][blocks][units]`
    let gates: Slot
    /// `[steps + 1][rows][units]`: before the first step, after it, and so on.
    let states: Slot
    let cells: Slot?
    let inputBlocks = Cell.inputBlocks
    let biasBlocks = Cell.biasBlocks

    init(
        prefix: String, input: LayerInput, output: Tensor, layout: RecurrentLayout, scratch: RecurrentScratch,
        isReversed: Bool, _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) {
        self.input = input
        self.output = output
        self.layout = layout
        self.scratch = scratch
        self.isReversed = isReversed
        let (steps, features, units) = (layout.steps, layout.features, layout.units)
        let columns = Cell.gates * units
        let shapes = try learning { () throws(TensorError) in
            (
                try Shape([features, columns]), try Shape([units, columns]),
                try Shape(Cell.biasRows == 1 ? [columns] : [Cell.biasRows, columns]),
                // Guards the products below.
                try Shape([steps + 1, plan.rows, Cell.blocks, units])
            )
        }
        kernel = plan.parameter(prefix + "kernel", shapes.0, .glorotUniform(fanIn: features, fanOut: columns))
        recurrentKernel = plan.parameter(
            prefix + "recurrent-kernel", shapes.1, .orthogonal(rows: units, columns: columns))
        bias = plan.parameter(prefix + "bias", shapes.2, .blocks(Cell.biasStart, each: units))
        gates = plan.scratch(perSample: steps * Cell.blocks * units, .throughout)
        states = plan.scratch(perSample: (steps + 1) * units, .throughout)
        cells = Cell.hasCellState ? plan.scratch(perSample: (steps + 1) * units, .throughout) : nil
    }

    // MARK: - Places

    /// The position in the sequence that a step reads.
    func position(_ step: Int) -> Int { isReversed ? layout.steps - 1 - step : step }

    /// Where the output of a step belongs in the first row, and from there to the next row.
    func place(_ step: Int, in output: FloatPointer) -> (base: FloatPointer, stride: Int) {
        let column = isReversed ? layout.width - layout.units : 0
        return layout.returnsSequences
            ? (output + position(step) * layout.width + column, layout.steps * layout.width)
            : (output + column, layout.width)
    }

    /// Without training nothing of earlier steps is needed again: the memory of two chunks or steps then takes turns.
    func gates(_ frame: Frame, from step: Int) -> FloatPointer {
        frame[gates] + (frame.isTraining ? step : 0) * frame.rows * Cell.blocks * layout.units
    }

    private func state(_ slot: Slot, _ frame: Frame, after steps: Int) -> FloatPointer {
        frame[slot] + (frame.isTraining ? steps : steps & 1) * frame.rows * layout.units
    }

    func state(_ frame: Frame, after steps: Int) -> FloatPointer { state(states, frame, after: steps) }

    /// A step with its products at `gates`.
    func cellStep(_ frame: Frame, _ step: Int, _ gates: FloatPointer) -> CellStep {
        CellStep(
            rows: frame.rows, units: layout.units, gates: gates, bias: frame.weights(bias),
            previous: state(frame, after: step), next: state(frame, after: step + 1),
            previousCell: cells.map { state($0, frame, after: step) },
            nextCell: cells.map { state($0, frame, after: step + 1) },
            tokens: input.tensor.mask.map { frame[$0.tokens] + position(step) }, tokenStride: layout.steps)
    }

    /// Whether a row's state after a step is given out.
    func shows(_ frame: Frame, _ row: Int, _ step: Int) -> Bool {
        guard layout.zeroesPadding, let mask = input.tensor.mask else { return true }
        return frame[mask.tokens][row * layout.steps + position(step)] != 0
    }

    /// Copies the inputs of steps together, `[count][rows][features]`.
    func gather(_ frame: Frame, from first: Int, count: Int, into to: FloatPointer) {
        let (features, sample) = (layout.features, layout.steps * layout.features)
        var to = to
        for step in first..<(first + count) {
            var from = frame[input.tensor.value] + position(step) * features
            for _ in 0..<frame.rows {
                to.update(from: from, count: features)
                to += features
                from += sample
            }
        }
    }

    // MARK: - Forward

    func forward(_ frame: Frame) {
        let (rows, units) = (frame.rows, layout.units)
        let width = Cell.blocks * units
        let stateKernel = pack(frame)
        state(frame, after: 0).update(repeating: 0, count: rows * units)
        if let cells { state(cells, frame, after: 0).update(repeating: 0, count: rows * units) }
        let x = frame[scratch.forwardInputs]
        var first = 0
        while first < layout.steps {
            let count = min(layout.chunk(rows), layout.steps - first)
            let chunk = gates(frame, from: first)
            gather(frame, from: first, count: count, into: x)
            multiplyInputs(frame, x, rows: count * rows, into: chunk)
            for step in first..<(first + count) {
                let now = chunk + (step - first) * rows * width
                if step > 0 {
                    multiply(
                        state(frame, after: step), strideA: units, rows: rows, stateKernel,
                        into: now + (Cell.blocks - Cell.gates) * units, strideC: width, accumulate: true)
                }
                Cell.activate(cellStep(frame, step, now))
                if layout.returnsSequences { emit(frame, step) }
            }
            first += count
        }
        if !layout.returnsSequences { emit(frame, layout.steps - 1) }
    }

    /// - Returns: the recurrent kernel; the input's lies behind ``RecurrentScratch/packedInput``, block after block.
    private func pack(_ frame: Frame) -> Panels {
        let (features, units, columns) = (layout.features, layout.units, Cell.gates * layout.units)
        var to = frame[scratch.packedInput]
        for block in inputBlocks {
            let panels = Panels(to, depth: features, columns: block.count * units)
            panels.pack(
                MatrixView(
                    frame.weights(kernel) + block.kernel * units, rows: features, columns: block.count * units,
                    stride: columns))
            to += Panels.count(depth: features, columns: block.count * units)
        }
        let panels = Panels(frame[scratch.packedState], depth: units, columns: columns)
        panels.pack(MatrixView(frame.weights(recurrentKernel), rows: units, columns: columns))
        return panels
    }

    private func multiplyInputs(_ frame: Frame, _ x: FloatPointer, rows: Int, into gates: FloatPointer) {
        let (features, units) = (layout.features, layout.units)
        let width = Cell.blocks * units
        var from = frame[scratch.packedInput]
        for block in inputBlocks {
            multiply(
                x, strideA: features, rows: rows, Panels(from, depth: features, columns: block.count * units),
                into: gates + block.gate * units, strideC: width)
            from += Panels.count(depth: features, columns: block.count * units)
        }
        // Blocks for the state alone: its product is added to them.
        for block in Cell.gates..<Cell.blocks {
            for row in 0..<rows { (gates + row * width + block * units).update(repeating: 0, count: units) }
        }
    }

    /// Copies the state after a step to the output.
    private func emit(_ frame: Frame, _ step: Int) {
        let to = place(step, in: frame[output.value])
        let from = state(frame, after: step + 1)
        for row in 0..<frame.rows {
            let y = to.base + row * to.stride
            if shows(frame, row, step) {
                y.update(from: from + row * layout.units, count: layout.units)
            } else {
                y.update(repeating: 0, count: layout.units)
            }
        }
    }
}
