package import Tensors

/// `softmax(Q K' / sqrt(keyDim)) V` for several heads side by side: Vaswani et al., "Attention is all you need", 2017.
///
/// With one input it attends to itself; with two, `x [T, d]` attends to `z [S, e]`. `Q = x Wq + bq`, `K = z Wk + bk`,
/// `V = z Wv + bv`, each `[.., heads keyDim]`, of which head `h` has the columns from `h keyDim`; the heads' results side
/// by side times `Wo [heads keyDim, d]` plus `bo` are `y [T, d]`. Positions of `z` that its mask hides get no
/// attention; where all are hidden the result is 0, not NaN.
package struct MultiHeadAttention: Layer {
    package static let kind = "multi-head-attention"

    package var heads: Int
    package var keyDim: Int
    /// A position sees itself and those before it.
    package var isCausal: Bool
    package var usesBias: Bool
    package var kernelInitializer: KernelInitializer

    package init(
        heads: Int, keyDim: Int, isCausal: Bool = false, usesBias: Bool = true,
        kernelInitializer: KernelInitializer = .glorotUniform
    ) {
        self.heads = heads
        self.keyDim = keyDim
        self.isCausal = isCausal
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
    }

    package func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape {
        guard (1...2).contains(inputs.count), inputs.allSatisfy({ $0.rank == 2 }) else {
            throw LearningError(
                .model,
                "a multi-head-attention layer takes one sequence of vectors, or two: what asks, and what is asked")
        }
        if isCausal, inputs.count == 2 {
            throw LearningError(
                .model, "a causal multi-head-attention layer takes one input, which it compares with itself")
        }
        return inputs[0]
    }

    package func bind(
        _ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder
    ) throws(LearningError) -> BoundLayer {
        let shape = try outputShape(inputs.map(\.tensor.shape))
        let source = inputs[inputs.count - 1]
        let sizes = AttentionSizes(
            queries: shape.leading, keys: source.tensor.shape.leading, heads: heads, keyDim: keyDim)
        if let mask = source.tensor.mask, mask.steps != sizes.keys {
            throw LearningError(.model, "a mask of \(mask.steps) positions hides none of \(sizes.keys)")
        }
        let width = try learning { () throws(TensorError) in try Shape([heads, keyDim]) }.count
        let output = plan.output(shape).masked(inputs[0].tensor.mask)
        let (features, sourceFeatures) = (shape.last, source.tensor.shape.last)
        // Tiles read a little beyond the last column.
        func vectors(_ count: Int, _ lifetime: MemoryPlan.Builder.Lifetime) -> Slot {
            plan.scratch(perSample: count * width, perShard: Tile.width, lifetime)
        }
        // Query, key and value start as the parts of one matrix that they are in PyTorch: smaller than each on its own,
        // which converges better (Ott et al., "fairseq", 2019, halve their variance for it, too).
        func projection(_ name: String, _ features: Int, _ plan: inout MemoryPlan.Builder) throws(LearningError)
            -> Projection
        {
            try Projection(
                name, features: features, units: width, fanOut: 3 * width, usesBias: usesBias, kernelInitializer, &plan)
        }
        return BoundLayer(
            output: output,
            step: MultiHeadAttentionStep(
                input: inputs[0], source: source, output: output, sizes: sizes, isCausal: isCausal,
                query: try projection("query", features, &plan),
                key: try projection("key", sourceFeatures, &plan),
                value: try projection("value", sourceFeatures, &plan),
                result: try Projection(
                    "output", features: width, units: features, usesBias: usesBias, kernelInitializer, &plan),
                queries: vectors(sizes.queries, .throughout), keys: vectors(sizes.keys, .throughout),
                values: vectors(sizes.keys, .throughout), context: vectors(sizes.queries, .throughout),
                probabilities: plan.scratch(perSample: heads * sizes.queries * sizes.stride, .throughout),
                visible: plan.scratch(perShard: sizes.stride, .forward),
                packedKeys: plan.scratch(perShard: sizes.packedCount, .forward),
                packedValues: plan.scratch(perShard: sizes.packedCount, .backward),
                scoreGradients: plan.scratch(perShard: sizes.queries * sizes.stride, .backward),
                contextGradients: vectors(sizes.queries, .backward), queryGradients: vectors(sizes.queries, .backward),
                keyGradients: vectors(sizes.keys, .backward), valueGradients: vectors(sizes.keys, .backward)))
    }
}

private struct MultiHeadAttentionStep: LayerStep {
    let input: LayerInput
    /// What keys and values are made of; the input itself if there is one.
    let source: LayerInput
    let output: Tensor
    let sizes: AttentionSizes
    let isCausal: Bool
    let query: Projection
    let key: Projection
    let value: Projection
    let result: Projection
    /// `[rows][T][heads keyDim]`, and for keys and values `[rows][S][heads keyDim]`.
    let queries: Slot
    let keys: Slot
    let values: Slot
    let context: Slot
    /// `[rows][heads][T][stride]`
    let probabilities: Slot
    let visible: Slot
    let packedKeys: Slot
    let packedValues: Slot
    let scoreGradients: Slot
    let contextGradients: Slot
    let queryGradients: Slot
    let keyGradients: Slot
    let valueGradients: Slot

    func forward(_ frame: Frame) throws(TensorError) {
        let x = frame[input.tensor.value]
        let z = frame[source.tensor.value]
        let asking = frame.rows * sizes.queries
        let asked = frame.rows * sizes.keys
        try query.forward(frame, x, vectors: asking, into: frame[queries])
        try key.forward(frame, z, vectors: asked, into: frame[keys])
        try value.forward(frame, z, vectors: asked, into: frame[values])
        for row in 0..<frame.rows {
            let tokens = source.tensor.mask.map { frame[$0.tokens] + row * sizes.keys }
            let first = sizes.writeVisible(tokens, into: frame[visible])
            for head in 0..<sizes.heads {
                sizes.forward(
                    place(frame, row, head), visible: frame[visible], firstVisible: first, isCausal: isCausal,
                    packed: frame[packedKeys])
            }
        }
        try result.forward(frame, frame[context], vectors: asking, into: frame[output.value])
    }

    func backward(_ frame: Frame) throws(TensorError) {
        guard let gradient = output.gradient else { return }
        let asking = frame.rows * sizes.queries
        let asked = frame.rows * sizes.keys
        try result.backward(
            frame, frame[context], frame[gradient], vectors: asking, into: frame[contextGradients], beta: 0)
        for row in 0..<frame.rows {
            for head in 0..<sizes.heads {
                let (asks, isAsked) = (offset(row, head, sizes.queries), offset(row, head, sizes.keys))
                sizes.backward(
                    place(frame, row, head),
                    AttentionHead.Gradients(
                        context: frame[contextGradients] + asks, queries: frame[queryGradients] + asks,
                        keys: frame[keyGradients] + isAsked, values: frame[valueGradients] + isAsked,
                        scores: frame[scoreGradients]), isCausal: isCausal, packed: frame[packedValues])
            }
        }
        let x = frame[input.tensor.value]
        let z = frame[source.tensor.value]
        let dx = input.tensor.gradient.map { frame[$0] }
        let dz = source.tensor.gradient.map { frame[$0] }
        try query.backward(frame, x, frame[queryGradients], vectors: asking, into: dx, beta: input.beta)
        // Attending to itself, the input's gradient has been begun by now.
        let beta = input.tensor.value == source.tensor.value ? 1 : source.beta
        try key.backward(frame, z, frame[keyGradients], vectors: asked, into: dz, beta: beta)
        try value.backward(frame, z, frame[valueGradients], vectors: asked, into: dz, beta: 1)
    }

    private func offset(_ row: Int, _ head: Int, _ positions: Int) -> Int {
        row * positions * sizes.width + head * sizes.keyDim
    }

    private func place(_ frame: Frame, _ row: Int, _ head: Int) -> AttentionHead {
        let (asks, isAsked) = (offset(row, head, sizes.queries), offset(row, head, sizes.keys))
        return AttentionHead(
            queries: frame[queries] + asks, keys: frame[keys] + isAsked, values: frame[values] + isAsked,
            context: frame[context] + asks,
            probabilities: frame[probabilities] + (row * sizes.heads + head) * sizes.queries * sizes.stride)
    }
}
