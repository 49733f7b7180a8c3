package import Tensors

/// What the threads of the pool do in a step: each its shards of the batch, then its range of the parameters.
extension StepRunner {
    package func run(worker: Int, of workers: Int, barrier: Barrier) {
        for shard in stride(from: worker, to: shards, by: workers) { runShard(shard) }
        if work != .train { return }
        barrier.wait()
        // Every thread sees the same sums, so all update or none does.
        for shard in 0..<shards where failures[shard] != nil { return }
        if summedTotals.loss.isFinite { update(worker: worker, of: workers, barrier: barrier) }
    }

    private func runShard(_ shard: Int) {
        totals[shard] = Totals()
        failures[shard] = nil
        guard let frame = gather(shard) else {
            // Fewer samples than shards: this one adds nothing to the sum.
            if work == .train { shardGradients(shard).update(repeating: 0, count: model.plan.parameterCount) }
            return
        }
        let model = models[current]
        do throws(TensorError) {
            for step in model.steps { try step.forward(frame) }
            if work == .predict { return copyOutputs(frame, model, shard) }
            model.lossStep.run(frame, targets: frame[model.targets], scale: scale, totals: &totals[shard])
            if work == .evaluate { return }
            for step in model.steps.reversed() { try step.backward(frame) }
        } catch {
            failures[shard] = error
        }
    }

    private func copyOutputs(_ frame: Frame, _ model: CompiledModel, _ shard: Int) {
        guard let predictions else { return }
        let shape = model.output.shape
        let values = frame[model.output.value]
        let to = predictions + model.range(ofShard: shard, count: count).lowerBound * shape.count
        to.update(from: values, count: frame.rows * shape.count)
        model.outputActivation.apply(to, rows: frame.rows * shape.leading, columns: shape.last)
    }

    func shardGradients(_ shard: Int) -> FloatPointer {
        gradients.base + shard * model.plan.parameterCount
    }

    /// Copies the shard's samples into its arena; nil if it has none.
    func gather(_ shard: Int) -> Frame? {
        let model = models[current]
        let range = model.range(ofShard: shard, count: count)
        guard let samples, let indices, !range.isEmpty else { return nil }
        let frame = Frame(
            rows: range.count, isTraining: work == .train,
            randomKey: SplitMix64.mix(seed, UInt64(step), UInt64(shard)), share: Float(range.count) / Float(count),
            arena: arenas.base + shard * arenaCount, offsets: offsets[current], parameterOffsets: parameterOffsets,
            parameters: parameters.base, parameterGradients: shardGradients(shard))
        let targetWidth = samples.targetShape.count
        let t = frame[model.targets]
        var generator = SplitMix64(seed: frame.randomKey, stream: 4)
        for (row, position) in range.enumerated() {
            let index = Int(indices[position])
            var from = samples.features.base + index * samples.width
            for (place, input) in model.inputs.enumerated() {
                let width = input.shape.count
                let to = frame[input.value] + row * width
                if place == 0, work == .train, let augmentation {
                    augmentation.apply(from: from, to: to, shape: samples.inputs[0], generator: &generator)
                } else {
                    to.update(from: from, count: width)
                }
                from += width
            }
            if work == .predict { continue }
            (t + row * targetWidth).update(from: samples.targets.base + index * targetWidth, count: targetWidth)
        }
        return frame
    }
}
