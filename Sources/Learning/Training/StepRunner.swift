package import Tensors

/// Runs steps of a model: owns its parameters and everything else a step touches, all of it allocated here.
///
/// A step is one fork and one join: each thread computes the shards that fall to it, all meet at a barrier, and each
/// updates its range of the parameters from the sum of the shards' gradients, taken in shard order. So results are
/// equal to the bit for any number of threads.
///
/// `@unchecked Sendable`: between the pool's barriers each thread writes only its shards' and its range's parts; the
/// fields that describe the current job are written by the caller while no worker runs.
package final class StepRunner: PoolTask, @unchecked Sendable {
    package let model: CompiledModel
    package let optimizer: any Optimizer
    package let parameters: FloatBuffer
    /// Steps taken.
    package private(set) var step = 0

    let gradients: FloatBuffer
    let moments: FloatBuffer
    let arenas: FloatBuffer
    private let pool: WorkerPool
    private let offsets: UnsafeMutablePointer<Int>
    private let totals: UnsafeMutablePointer<Totals>
    private let failures: UnsafeMutablePointer<TensorError?>

    /// The current job.
    private var samples: Samples?
    private var indices: UnsafePointer<Int32>?
    private var count = 0
    private var isTraining = false

    /// Gradients are summed and used in blocks that stay in the cache.
    private static let block = 4096

    /// - Parameter seed: for the initial weights; each parameter draws from a stream of its own.
    package init(
        model: CompiledModel, optimizer: any Optimizer, pool: WorkerPool, seed: UInt64
    ) throws(LearningError) {
        let plan = model.plan
        let buffers = try learning { () throws(TensorError) in
            (
                try FloatBuffer(count: plan.parameterCount),
                try FloatBuffer(count: plan.parameterCount * model.shards),
                try FloatBuffer(count: plan.parameterCount * optimizer.momentCount),
                try FloatBuffer(count: plan.arenaCount * model.shards)
            )
        }
        (parameters, gradients, moments, arenas) = buffers
        self.model = model
        self.optimizer = optimizer
        self.pool = pool
        offsets = .allocate(capacity: max(plan.offsets.count, 1))
        for (index, offset) in plan.offsets.enumerated() { (offsets + index).initialize(to: offset) }
        totals = .allocate(capacity: model.shards)
        totals.initialize(repeating: Totals(), count: model.shards)
        failures = .allocate(capacity: model.shards)
        failures.initialize(repeating: nil, count: model.shards)
        for (index, parameter) in plan.parameters.enumerated() {
            var generator = SplitMix64(seed: seed, stream: 1000 + UInt64(index))
            parameter.initializer.fill(parameters.base + parameter.slot.offset, count: parameter.slot.count, &generator)
        }
    }

    deinit {
        offsets.deallocate()
        totals.deallocate()
        failures.deinitialize(count: model.shards)
        failures.deallocate()
    }

    /// One step on the samples with these indices; at most a batch.
    ///
    /// - Returns: sums over the batch, from before the update.
    /// - Throws: `diverged` if the loss is not finite; the parameters are then as before the step.
    package func train(_ samples: Samples, _ indices: UnsafeBufferPointer<Int32>) throws(LearningError) -> Totals {
        step += 1
        return try run(samples, indices, isTraining: true)
    }

    /// The loss and the hits on the samples with these indices, any number of them.
    package func evaluate(_ samples: Samples, _ indices: UnsafeBufferPointer<Int32>) throws(LearningError) -> Totals {
        var sum = Totals()
        var start = 0
        while start < indices.count {
            let end = min(start + model.batchSize, indices.count)
            sum += try run(samples, UnsafeBufferPointer(rebasing: indices[start..<end]), isTraining: false)
            start = end
        }
        return sum
    }

    private func run(
        _ samples: Samples, _ indices: UnsafeBufferPointer<Int32>, isTraining: Bool
    ) throws(LearningError) -> Totals {
        guard indices.count <= model.batchSize, samples.shape.count == model.input.shape.count,
            samples.targetShape.count == model.targetShape.count
        else { throw LearningError(.data, "the samples are not those the model was compiled for") }
        self.samples = samples
        self.indices = indices.baseAddress
        self.count = indices.count
        self.isTraining = isTraining
        pool.run(self)
        for shard in 0..<model.shards {
            if let failure = failures[shard] { throw LearningError(failure) }
        }
        let sum = summedTotals
        if !sum.loss.isFinite { throw diagnose() }
        return sum
    }

    private var summedTotals: Totals {
        var sum = Totals()
        for shard in 0..<model.shards { sum += totals[shard] }
        return sum
    }

    // MARK: - On the threads

    package func run(worker: Int, of workers: Int, barrier: Barrier) {
        for shard in stride(from: worker, to: model.shards, by: workers) { runShard(shard) }
        if !isTraining { return }
        barrier.wait()
        // Every thread sees the same sums, so all update or none does.
        for shard in 0..<model.shards where failures[shard] != nil { return }
        if summedTotals.loss.isFinite { update(worker: worker, of: workers) }
    }

    private func runShard(_ shard: Int) {
        totals[shard] = Totals()
        failures[shard] = nil
        guard let frame = gather(shard) else {
            // Fewer samples than shards: this one adds nothing to the sum.
            if isTraining { shardGradients(shard).update(repeating: 0, count: model.plan.parameterCount) }
            return
        }
        do throws(TensorError) {
            for step in model.steps { try step.forward(frame) }
            let scale = 1 / Float(count * model.targetShape.count)
            model.lossStep.run(frame, targets: frame[model.targets], scale: scale, totals: &totals[shard])
            if !isTraining { return }
            for step in model.steps.reversed() { try step.backward(frame) }
        } catch {
            failures[shard] = error
        }
    }

    private func shardGradients(_ shard: Int) -> FloatPointer {
        gradients.base + shard * model.plan.parameterCount
    }

    /// Copies the shard's samples into its arena; nil if it has none.
    private func gather(_ shard: Int) -> Frame? {
        let range = model.range(ofShard: shard, count: count)
        guard let samples, let indices, !range.isEmpty else { return nil }
        let frame = Frame(
            rows: range.count, isTraining: isTraining, arena: arenas.base + shard * model.plan.arenaCount,
            offsets: offsets, parameters: parameters.base, parameterGradients: shardGradients(shard))
        let width = samples.shape.count
        let targetWidth = samples.targetShape.count
        let x = frame[model.input.value]
        let t = frame[model.targets]
        for (row, position) in range.enumerated() {
            let index = Int(indices[position])
            (x + row * width).update(from: samples.features.base + index * width, count: width)
            (t + row * targetWidth).update(from: samples.targets.base + index * targetWidth, count: targetWidth)
        }
        return frame
    }

    /// Sums the shards' gradients and lets the optimiser use the sum, in this thread's range.
    private func update(worker: Int, of workers: Int) {
        let total = model.plan.parameterCount
        let lines = total / FloatBuffer.alignment
        let end = lines * (worker + 1) / workers * FloatBuffer.alignment
        var start = lines * worker / workers * FloatBuffer.alignment
        while start < end {
            let count = min(StepRunner.block, end - start)
            let sum = gradients.base + start
            for shard in 1..<max(model.shards, 1) {
                let part = shardGradients(shard) + start
                for i in 0..<count { sum[i] += part[i] }
            }
            optimizer.update(
                parameters.base + start, sum, moments: moments.base + start, momentStride: total, count: count,
                step: step)
            start += count
        }
    }

    // MARK: - When it goes wrong

    /// Runs the batch again, layer by layer, to say where the numbers stopped being numbers.
    private func diagnose() -> LearningError {
        let what = "the loss is \(summedTotals.loss) at step \(step)"
        let advice = "; a lower learning rate may help"
        for parameter in model.plan.parameters
        where !isFinite(parameters.base + parameter.slot.offset, parameter.slot.count) {
            return LearningError(
                .diverged, "\(what): the weights \(parameter.name) are not finite\(advice)", layer: parameter.node)
        }
        for shard in 0..<model.shards {
            guard !totals[shard].loss.isFinite, let frame = gather(shard) else { continue }
            if !isFinite(frame[model.input.value], frame.rows * model.input.shape.count) {
                return LearningError(.diverged, "\(what): a sample holds a value that is not finite")
            }
            for (index, step) in model.steps.enumerated() {
                do { try step.forward(frame) } catch { return LearningError(error) }
                let output = model.outputs[index]
                if isFinite(frame[output.value], frame.rows * output.shape.count) { continue }
                return LearningError(
                    .diverged,
                    "\(what): the output of layer \(index + 1), \"\(model.network.nodes[index].name)\", is not "
                        + "finite\(advice)", layer: index)
            }
        }
        return LearningError(.diverged, "\(what): the loss itself overflows\(advice)")
    }

    private func isFinite(_ values: FloatPointer, _ count: Int) -> Bool {
        for i in 0..<count where !values[i].isFinite { return false }
        return true
    }
}
