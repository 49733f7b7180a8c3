package import Tensors

/// Samples, and which of them belong to a split.
package struct SampleSelection: Sendable {
    package let samples: Samples
    package let indices: [Int32]

    /// - Throws: `data` if an index is not that of a sample.
    package init(_ samples: Samples, _ indices: [Int32]) throws(LearningError) {
        for index in indices where !(0..<samples.count).contains(Int(index)) {
            throw LearningError(.data, "sample \(index) of \(samples.count) does not exist")
        }
        self.samples = samples
        self.indices = indices
    }

    package init(all samples: Samples) {
        self.samples = samples
        indices = (0..<Int32(samples.count)).map { $0 }
    }
}

/// Told how training goes, on the thread that trains. Also asked whether to go on.
package protocol TrainingObserver: AnyObject {
    /// After each step. `samples` counts from the start of training.
    func stepped(epoch: Int, step: Int, samples: Int)
    func ended(_ epoch: EpochSummary)
    /// Asked after each step and between evaluations.
    var wantsStop: Bool { get }
}

/// Epochs over the data: shuffled, stepped, validated, and ended early when that is asked for.
package struct Trainer {
    package struct Options: Hashable, Sendable {
        package var epochs: Int
        package var earlyStopping: EarlyStopping?
        package var seed: UInt64

        package init(epochs: Int, earlyStopping: EarlyStopping? = nil, seed: UInt64 = 0) {
            self.epochs = epochs
            self.earlyStopping = earlyStopping
            self.seed = seed
        }
    }

    package struct Result: Sendable {
        package var history: [EpochSummary]
        package var stoppedEarly: Bool
        /// The epoch whose weights the runner holds.
        package var weightsEpoch: Int
    }

    package let runner: StepRunner
    package let options: Options

    package init(_ runner: StepRunner, _ options: Options) {
        self.runner = runner
        self.options = options
    }

    /// - Throws: `data` before the first step, `diverged` or `interrupted` after some.
    package func fit(
        _ train: SampleSelection, validation: SampleSelection?, observer: any TrainingObserver
    ) throws(LearningError) -> Result {
        if train.indices.isEmpty { throw LearningError(.data, "there is no sample to train on") }
        try runner.model.check(train.samples, named: "training")
        if let validation { try runner.model.check(validation.samples, named: "validation") }
        if let rule = options.earlyStopping, rule.monitor.needsValidation, validation?.indices.isEmpty ?? true {
            throw LearningError(
                .data, "early stopping watches \(rule.monitor.rawValue), but no sample is for validation")
        }
        let keepsBest = options.earlyStopping?.restoresBest ?? false
        let best = try learning { () throws(TensorError) in
            try FloatBuffer(count: keepsBest ? runner.parameters.count : 0)
        }
        let order = UnsafeMutableBufferPointer<Int32>.allocate(capacity: train.indices.count)
        defer { order.deallocate() }
        _ = order.initialize(from: train.indices)

        var result = Result(history: [], stoppedEarly: false, weightsEpoch: options.epochs)
        var progress = EarlyStopping.Progress()
        var generator = SplitMix64(seed: options.seed, stream: 3)
        var samples = 0
        let clock = ContinuousClock()
        for epoch in 1...max(options.epochs, 1) {
            let start = clock.now
            generator.shuffle(order)
            let totals = try runEpoch(epoch, train.samples, UnsafeBufferPointer(order), &samples, observer)
            let checked = try validation.map { selection throws(LearningError) in
                try evaluate(selection, observer: observer)
            }
            let elapsed = (clock.now - start).components
            let summary = EpochSummary(
                epoch: epoch, train: totals, validation: checked,
                seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
            result.history.append(summary)
            result.weightsEpoch = epoch
            observer.ended(summary)
            guard let rule = options.earlyStopping else { continue }
            let (isBest, stops) = progress.note(summary, rule)
            if isBest, keepsBest { try learning { () throws(TensorError) in try best.copy(from: runner.parameters) } }
            if stops {
                result.stoppedEarly = epoch < options.epochs
                break
            }
        }
        if keepsBest, let epoch = progress.best?.epoch, epoch != result.weightsEpoch {
            try learning { () throws(TensorError) in try runner.parameters.copy(from: best) }
            result.weightsEpoch = epoch
        }
        return result
    }

    private func runEpoch(
        _ epoch: Int, _ samples: Samples, _ order: UnsafeBufferPointer<Int32>, _ seen: inout Int,
        _ observer: any TrainingObserver
    ) throws(LearningError) -> Totals {
        var totals = Totals()
        var start = 0
        var step = 0
        while start < order.count {
            let end = min(start + runner.model.batchSize, order.count)
            do {
                totals += try runner.train(samples, UnsafeBufferPointer(rebasing: order[start..<end]))
            } catch {
                throw LearningError(error.code, "epoch \(epoch): \(error.message)", layer: error.layer)
            }
            step += 1
            seen += end - start
            observer.stepped(epoch: epoch, step: step, samples: seen)
            if observer.wantsStop { throw interrupted(epoch) }
            start = end
        }
        return totals
    }

    /// Loss and accuracy with the weights as they are.
    package func evaluate(
        _ selection: SampleSelection, observer: (any TrainingObserver)? = nil
    ) throws(LearningError) -> Totals {
        try runner.model.check(selection.samples, named: "evaluation")
        var sum = Totals()
        var start = 0
        // In parts of some milliseconds, so that a request to stop is heard.
        let part = runner.model.batchSize * 64
        while start < selection.indices.count {
            let end = min(start + part, selection.indices.count)
            sum += try selection.indices.withUnsafeBufferPointer { indices throws(LearningError) in
                try runner.evaluate(selection.samples, UnsafeBufferPointer(rebasing: indices[start..<end]))
            }
            if observer?.wantsStop ?? false { throw interrupted(nil) }
            start = end
        }
        return sum
    }

    private func interrupted(_ epoch: Int?) -> LearningError {
        LearningError(.interrupted, "stopped on request" + (epoch.map { " in epoch \($0)" } ?? ""))
    }
}
