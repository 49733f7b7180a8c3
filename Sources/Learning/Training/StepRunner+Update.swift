import Tensors

// From the shards' gradients to new parameters.
extension StepRunner {
    /// Sums the shards' gradients and lets the optimiser use the sum, in this thread's range of blocks.
    func update(worker: Int, of workers: Int, barrier: Barrier) {
        let trainable = learntCount
        let blocks = (trainable + StepRunner.block - 1) / StepRunner.block
        let range = (blocks * worker / workers)..<(blocks * (worker + 1) / workers)
        let factor = schedule.factor(step: step)
        if case .globalNorm(let limit) = clipping {
            for block in range { squares[block] = sum(block, trainable) }
            barrier.wait()
            // In block order, so that the sum is the same for any number of threads.
            var square = 0.0
            for block in 0..<blocks { square += squares[block] }
            let norm = Float(square.squareRoot())
            let scale = norm > limit ? limit / norm : 1
            for block in range { use(block, trainable, scale: scale, limit: nil, factor: factor) }
        } else {
            var limit: Float?
            if case .value(let value) = clipping { limit = value }
            for block in range {
                _ = sum(block, trainable)
                use(block, trainable, scale: 1, limit: limit, factor: factor)
            }
        }
        if worker == 0 { updateState() }
    }

    private func part(_ block: Int, _ total: Int) -> (start: Int, count: Int) {
        let start = block * StepRunner.block
        return (start, min(StepRunner.block, total - start))
    }

    /// Adds the other shards' gradients to the first one's.
    ///
    /// - Returns: the sum of their squares.
    private func sum(_ block: Int, _ total: Int) -> Double {
        let (start, count) = part(block, total)
        let sum = gradients.base + start
        for shard in 1..<max(shards, 1) {
            let other = shardGradients(shard) + start
            // Whole vectors: every parameter's place is filled up to a cache line.
            for i in stride(from: 0, to: count, by: lanes) { store(sum + i, load(sum + i) + load(other + i)) }
        }
        guard case .globalNorm = clipping else { return 0 }
        var squares = Vector(repeating: 0)
        for i in stride(from: 0, to: count, by: lanes) { squares += load(sum + i) * load(sum + i) }
        return Double(laneSum(squares))
    }

    private func use(_ block: Int, _ total: Int, scale: Float, limit: Float?, factor: Float) {
        let (start, count) = part(block, total)
        let gradient = gradients.base + start
        if scale != 1 {
            for i in 0..<count { gradient[i] *= scale }
        } else if let limit {
            for i in 0..<count { gradient[i] = min(max(gradient[i], -limit), limit) }
        }
        optimizer.update(
            parameters.base + start, gradient, moments: moments.base + start,
            momentStride: model.plan.parameterCount, count: count, step: step, factor: factor)
    }

    /// Averages what the layers observed into the state behind the learnt parameters.
    private func updateState() {
        for parameter in model.plan.parameters {
            guard let momentum = parameter.momentum else { continue }
            let value = parameters.base + parameter.offset
            for i in 0..<parameter.count {
                var observed: Float = 0
                for shard in 0..<shards { observed += shardGradients(shard)[parameter.offset + i] }
                value[i] = momentum * value[i] + (1 - momentum) * observed
            }
        }
    }
}
