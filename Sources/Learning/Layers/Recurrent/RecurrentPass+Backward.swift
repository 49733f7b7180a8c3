import Tensors

// Backpropagation through time: Werbos, 1990. The gates' gradients take the place of the gates.
extension RecurrentPass {
    func backward(_ frame: Frame) throws(TensorError) {
        guard let outputGradient = output.gradient else { return }
        let (rows, units) = (frame.rows, layout.units)
        let width = Cell.blocks * units
        let stateKernel = packTransposed(frame)
        let gradient = StateGradient(
            output: frame[scratch.stateGradient], cell: scratch.cellGradient.map { frame[$0] })
        gradient.output.update(repeating: 0, count: rows * units)
        gradient.cell?.update(repeating: 0, count: rows * units)
        frame[scratch.biasGradient].update(repeating: 0, count: width)
        if !layout.returnsSequences { absorb(frame, layout.steps - 1, frame[outputGradient], into: gradient.output) }
        var end = layout.steps
        while end > 0 {
            let count = min(layout.chunk(rows), end)
            let first = end - count
            var step = end
            while step > first {
                step -= 1
                if layout.returnsSequences { absorb(frame, step, frame[outputGradient], into: gradient.output) }
                let now = gates(frame, from: step)
                Cell.differentiate(cellStep(frame, step, now), gradient)
                if step > 0 {
                    // dh of the step before, so far: what skips the product, and dG U'
                    multiply(
                        now + (Cell.blocks - Cell.gates) * units, strideA: width, rows: rows, stateKernel,
                        into: gradient.output, strideC: units, accumulate: true)
                }
            }
            try addParameterGradients(frame, from: first, count: count, isFirst: end == layout.steps)
            propagate(frame, from: first, count: count)
            end = first
        }
        for block in biasBlocks {
            (frame.gradient(bias) + block.kernel * units)
                .update(from: frame[scratch.biasGradient] + block.gate * units, count: block.count * units)
        }
    }

    /// - Returns: the recurrent kernel, transposed; the input's lies behind ``RecurrentScratch/transposedInput``.
    private func packTransposed(_ frame: Frame) -> Panels {
        let (features, units, columns) = (layout.features, layout.units, Cell.gates * layout.units)
        if let slot = scratch.transposedInput {
            var to = frame[slot]
            for block in inputBlocks {
                let panels = Panels(to, depth: block.count * units, columns: features)
                panels.pack(
                    MatrixView(
                        frame.weights(kernel) + block.kernel * units, rows: features, columns: block.count * units,
                        stride: columns
                    ).transposed)
                to += Panels.count(depth: block.count * units, columns: features)
            }
        }
        let panels = Panels(frame[scratch.transposedState], depth: columns, columns: units)
        panels.pack(MatrixView(frame.weights(recurrentKernel), rows: units, columns: columns).transposed)
        return panels
    }

    /// Adds the gradient of a step's output to that of its state.
    private func absorb(_ frame: Frame, _ step: Int, _ gradient: FloatPointer, into state: FloatPointer) {
        let from = place(step, in: gradient)
        for row in 0..<frame.rows where shows(frame, row, step) {
            add(from.base + row * from.stride, to: state + row * layout.units, count: layout.units)
        }
    }

    /// dW = x' dG, dU = h' dG with the states before each step, db = the sum of dG; over some steps at once.
    private func addParameterGradients(
        _ frame: Frame, from first: Int, count: Int, isFirst: Bool
    ) throws(TensorError) {
        let (features, units, columns) = (layout.features, layout.units, Cell.gates * layout.units)
        let width = Cell.blocks * units
        let rows = count * frame.rows
        let beta: Float = isFirst ? 0 : 1
        let dg = gates(frame, from: first)
        let x = frame[scratch.backwardInputs]
        gather(frame, from: first, count: count, into: x)
        for block in inputBlocks {
            try gemm(
                MatrixView(x, rows: rows, columns: features).transposed,
                MatrixView(dg + block.gate * units, rows: rows, columns: block.count * units, stride: width),
                into: MatrixView(
                    frame.gradient(kernel) + block.kernel * units, rows: features, columns: block.count * units,
                    stride: columns), beta: beta)
        }
        try gemm(
            MatrixView(state(frame, after: first), rows: rows, columns: units).transposed,
            MatrixView(dg + (width - columns), rows: rows, columns: columns, stride: width),
            into: MatrixView(frame.gradient(recurrentKernel), rows: units, columns: columns), beta: beta)
        let db = frame[scratch.biasGradient]
        for row in 0..<rows { add(dg + row * width, to: db, count: width) }
    }

    /// dx = dG W', copied or added to where the positions lie in the input.
    private func propagate(_ frame: Frame, from first: Int, count: Int) {
        guard let slot = scratch.inputGradients, let transposed = scratch.transposedInput,
            let inputGradient = input.tensor.gradient
        else { return }
        let (features, units) = (layout.features, layout.units)
        let width = Cell.blocks * units
        var from = frame[transposed]
        for (index, block) in inputBlocks.enumerated() {
            let depth = block.count * units
            multiply(
                gates(frame, from: first) + block.gate * units, strideA: width, rows: count * frame.rows,
                Panels(from, depth: depth, columns: features), into: frame[slot], strideC: features,
                accumulate: index > 0)
            from += Panels.count(depth: depth, columns: features)
        }
        var dx = frame[slot]
        for step in first..<(first + count) {
            var to = frame[inputGradient] + position(step) * features
            for _ in 0..<frame.rows {
                if input.accumulates {
                    add(dx, to: to, count: features)
                } else {
                    to.update(from: dx, count: features)
                }
                dx += features
                to += layout.steps * features
            }
        }
    }
}
