package import Tensors

/// Runs steps of a model: owns its parameters and everything else a step touches, all of it allocated here.
///
/// A step is one fork and one join: each thread computes the shards that fall to it, all meet at a barrier, and each
/// updates its range of the parameters from the sum of the shards' gradients, taken in shard order. So results are
/// equal to the bit for any number of threads.
///
/// A model may be compiled for several shapes of the same samples, such as sentences of several lengths; all share the
/// parameters, and a batch runs on the one made for its shape.
///
/// `@unchecked Sendable`: between the pool's barriers each thread writes only its shards' and its range's parts; the
/// fields that describe the current job are written by the caller while no worker runs.
package final class StepRunner: PoolTask, @unchecked Sendable {
    package let models: [CompiledModel]
    package let optimizer: any Optimizer
    package let schedule: any Schedule
    package let clipping: Clipping
    /// Changes training samples as they are taken, such as by turning pictures round.
    package let augmentation: (any SampleTransform)?
    package let parameters: FloatBuffer
    /// `[momentCount][parameterCount]`
    package let moments: FloatBuffer
    /// Steps taken.
    package internal(set) var step = 0

    /// Takes up where an earlier run stood, after its parameters and moments were copied to where they belong.
    package func resume(at step: Int) { self.step = step }

    /// The model for the first shape, which knows all the parameters.
    package var model: CompiledModel { models[0] }

    /// Floats at the start of the parameters that are learnt; the others stay as they are.
    let learntCount: Int
    let gradients: FloatBuffer
    let arenas: FloatBuffer
    let pool: WorkerPool
    let shards: Int
    let seed: UInt64
    /// For each model, where its slots lie.
    let offsets: [UnsafeMutablePointer<Int>]
    let parameterOffsets: UnsafeMutablePointer<Int>
    let arenaCount: Int
    let totals: UnsafeMutablePointer<Totals>
    let failures: UnsafeMutablePointer<TensorError?>
    /// The square sums of the gradients' blocks, for clipping by norm.
    let squares: UnsafeMutablePointer<Double>

    /// The current job.
    var current = 0
    var currentModel: CompiledModel { models[current] }
    var samples: Samples?
    var indices: UnsafePointer<Int32>?
    var count = 0
    var scale: Float = 1
    var work = Work.train
    var predictions: FloatPointer?

    enum Work { case train, evaluate, predict }

    /// Gradients are summed and used in blocks that stay in the cache.
    static let block = 4096

    /// - Parameters:
    ///   - models: one network compiled for one or several shapes, all with the same parameters, batch size and shards.
    ///   - learning: the layers, from the first on, whose parameters are learnt; nil for all.
    ///   - seed: for the initial weights, each parameter drawing from a stream of its own, and for what layers draw.
    package init(
        models: [CompiledModel], optimizer: any Optimizer, schedule: any Schedule = ConstantSchedule(),
        clipping: Clipping = .none, augmentation: (any SampleTransform)? = nil, learning count: Int? = nil,
        pool: WorkerPool, seed: UInt64
    ) throws(LearningError) {
        guard let first = models.first else { throw LearningError(.model, "there is no model to run") }
        let plan = first.plan
        for other in models where other.plan.parameters != plan.parameters || other.shards != first.shards {
            throw LearningError(.model, "the model has other parameters for other lengths of its samples")
        }
        let arenaCount = models.reduce(0) { max($0, $1.plan.arenaCount) }
        let buffers = try learning { () throws(TensorError) in
            (
                try FloatBuffer(count: plan.parameterCount),
                try FloatBuffer(count: plan.parameterCount * first.shards),
                try FloatBuffer(count: plan.parameterCount * optimizer.momentCount),
                try FloatBuffer(count: arenaCount * first.shards)
            )
        }
        (parameters, gradients, moments, arenas) = buffers
        self.models = models
        self.optimizer = optimizer
        self.schedule = schedule
        self.clipping = clipping
        self.augmentation = augmentation
        learntCount =
            count.flatMap { count in
                plan.parameters.first { $0.isLearnt && $0.node >= count }?.offset
            } ?? plan.trainableCount
        self.pool = pool
        self.seed = seed
        self.arenaCount = arenaCount
        shards = first.shards
        offsets = models.map { model in
            let table = UnsafeMutablePointer<Int>.allocate(capacity: max(model.plan.offsets.count, 1))
            for (index, offset) in model.plan.offsets.enumerated() { (table + index).initialize(to: offset) }
            return table
        }
        parameterOffsets = .allocate(capacity: max(plan.parameters.count, 1))
        for (index, parameter) in plan.parameters.enumerated() {
            (parameterOffsets + index).initialize(to: parameter.offset)
        }
        totals = .allocate(capacity: shards)
        totals.initialize(repeating: Totals(), count: shards)
        failures = .allocate(capacity: shards)
        failures.initialize(repeating: nil, count: shards)
        squares = .allocate(capacity: plan.parameterCount / StepRunner.block + 1)
        squares.initialize(repeating: 0, count: plan.parameterCount / StepRunner.block + 1)
        for (index, parameter) in plan.parameters.enumerated() {
            var generator = SplitMix64(seed: seed, stream: 1000 + UInt64(index))
            parameter.initializer.fill(parameters.base + parameter.offset, count: parameter.count, &generator)
        }
    }

    /// For samples of one shape.
    package convenience init(
        model: CompiledModel, optimizer: any Optimizer, schedule: any Schedule = ConstantSchedule(),
        clipping: Clipping = .none, pool: WorkerPool, seed: UInt64
    ) throws(LearningError) {
        try self.init(
            models: [model], optimizer: optimizer, schedule: schedule, clipping: clipping, pool: pool, seed: seed)
    }

    deinit {
        for table in offsets { table.deallocate() }
        parameterOffsets.deallocate()
        totals.deallocate()
        squares.deallocate()
        failures.deinitialize(count: shards)
        failures.deallocate()
    }

    /// One step on the samples with these indices; at most a batch.
    ///
    /// - Returns: sums over the batch, from before the update.
    /// - Throws: `diverged` if the loss is not finite; the parameters are then as before the step.
    package func train(_ samples: Samples, _ indices: UnsafeBufferPointer<Int32>) throws(LearningError) -> Totals {
        step += 1
        return try run(samples, indices, .train)
    }

    /// The loss and the hits on the samples with these indices, any number of them.
    package func evaluate(_ samples: Samples, _ indices: UnsafeBufferPointer<Int32>) throws(LearningError) -> Totals {
        var sum = Totals()
        try batches(of: indices) { part, _ throws(LearningError) in sum += try run(samples, part, .evaluate) }
        return sum
    }

    /// The model's outputs, its last activation applied, for the samples with these indices.
    ///
    /// - Parameter outputs: room for `[indices][output shape]`.
    package func predict(
        _ samples: Samples, _ indices: UnsafeBufferPointer<Int32>, into outputs: FloatPointer
    ) throws(LearningError) {
        let width = try model(for: samples).output.shape.count
        try batches(of: indices) { part, start throws(LearningError) in
            predictions = outputs + start * width
            _ = try run(samples, part, .predict)
        }
    }

    private func batches(
        of indices: UnsafeBufferPointer<Int32>,
        _ body: (UnsafeBufferPointer<Int32>, Int) throws(LearningError) -> Void
    ) throws(LearningError) {
        var start = 0
        while start < indices.count {
            let end = min(start + model.batchSize, indices.count)
            try body(UnsafeBufferPointer(rebasing: indices[start..<end]), start)
            start = end
        }
    }

    /// The model compiled for the shapes of these samples.
    package func model(for samples: Samples) throws(LearningError) -> CompiledModel {
        models[try index(for: samples)]
    }

    private func index(for samples: Samples) throws(LearningError) -> Int {
        for (index, model) in models.enumerated() where model.takes(samples) { return index }
        throw LearningError(.data, "the samples are not those the model was compiled for")
    }

    private func run(
        _ samples: Samples, _ indices: UnsafeBufferPointer<Int32>, _ work: Work
    ) throws(LearningError) -> Totals {
        current = try index(for: samples)
        let model = models[current]
        guard work == .predict || samples.targetShape.count == model.targetShape.count else {
            throw LearningError(
                .data, "the targets are \(samples.targetShape), the model was compiled for \(model.targetShape)")
        }
        guard indices.count <= model.batchSize else {
            throw LearningError(
                .data, "\(indices.count) samples at once; the model was compiled for \(model.batchSize)")
        }
        self.samples = samples
        self.indices = indices.baseAddress
        self.count = indices.count
        self.work = work
        scale = work == .predict ? 1 : 1 / Float(max(model.positions(samples, indices), 1))
        pool.run(self)
        for shard in 0..<shards {
            if let failure = failures[shard] { throw LearningError(failure) }
        }
        let sum = summedTotals
        if work != .predict, !sum.loss.isFinite { throw diagnose() }
        return sum
    }

    var summedTotals: Totals {
        var sum = Totals()
        for shard in 0..<shards { sum += totals[shard] }
        return sum
    }
}
