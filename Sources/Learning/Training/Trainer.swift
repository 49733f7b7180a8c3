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
package protocol StepObserver: AnyObject {
    /// After each step. `samples` counts from the start of training.
    func stepped(epoch: Int, step: Int, samples: Int)
    /// Asked after each step and between evaluations.
    var wantsStop: Bool { get }
}

/// Told of what the training of one network has besides.
package protocol TrainingObserver: StepObserver {
    func ended(_ epoch: EpochSummary)
    /// A good moment to write down where training stands: every so many steps, and before a stop that was asked for.
    ///
    /// - Parameter best: the best weights so far; empty where they are not kept.
    func checkpoint(_ position: TrainingPosition, best: FloatBuffer) throws(LearningError)
}

extension TrainingObserver {
    package func checkpoint(_ position: TrainingPosition, best: FloatBuffer) throws(LearningError) {}
}

/// Epochs over the data: shuffled, stepped, validated, and ended early when that is asked for.
package struct Trainer {
    package struct Options: Hashable, Sendable {
        package var epochs: Int
        package var earlyStopping: EarlyStopping?
        package var seed: UInt64
        /// Steps from one checkpoint to the next; nil for none but before a stop.
        package var checkpointEvery: Int?

        package init(
            epochs: Int, earlyStopping: EarlyStopping? = nil, seed: UInt64 = 0, checkpointEvery: Int? = nil
        ) {
            self.epochs = epochs
            self.earlyStopping = earlyStopping
            self.seed = seed
            self.checkpointEvery = checkpointEvery
        }
    }

    package struct Result: Sendable {
        package var history: [EpochSummary]
        package var stoppedEarly: Bool
        /// The epoch whose weights the runner holds.
        package var weightsEpoch: Int
        fileprivate var position: TrainingPosition
        /// The best weights, where they are kept; the last ones while the runner holds the best.
        fileprivate var kept: FloatBuffer
    }

    package let runner: StepRunner
    package let options: Options

    package init(_ runner: StepRunner, _ options: Options) {
        self.runner = runner
        self.options = options
    }

    /// For samples of one shape, from the start.
    package func fit(
        _ train: SampleSelection, validation: SampleSelection?, observer: any TrainingObserver
    ) throws(LearningError) -> Result {
        try fit([train], validation: validation.map { [$0] } ?? [], observer: observer)
    }

    /// - Parameters:
    ///   - train: one selection for each shape of the samples.
    ///   - resuming: where an earlier run stood. The runner must hold its parameters, moments and steps.
    ///   - kept: room for the best weights, of the size that ``keptCount`` says; with those of the earlier run.
    /// - Throws: `data` before the first step, `diverged` or `interrupted` after some.
    package func fit(
        _ train: [SampleSelection], validation: [SampleSelection], resuming: TrainingPosition? = nil,
        best kept: FloatBuffer? = nil, observer: any TrainingObserver
    ) throws(LearningError) -> Result {
        try check(train, validation)
        let best: FloatBuffer
        if let kept {
            best = kept
        } else {
            best = try learning { () throws(TensorError) in try FloatBuffer(count: keptCount) }
        }
        guard best.count == keptCount else {
            throw LearningError(.model, "the best weights to go on with are not those of this model")
        }
        let keepsBest = keptCount > 0
        var order = EpochOrder(train, batchSize: runner.model.batchSize)
        var position = resuming ?? TrainingPosition()
        let clock = ContinuousClock()
        func stops() -> Bool { options.earlyStopping.map { position.stopping.stops($0) } ?? false }
        while position.epoch <= max(options.epochs, 1), !stops() {
            let start = clock.now
            order.shuffle(seed: options.seed, epoch: position.epoch)
            try runEpoch(order, train, &position, best, observer)
            let checked: Totals?
            do {
                checked = validation.isEmpty ? nil : try evaluate(validation, observer: observer)
            } catch {
                if error.code == .interrupted { try observer.checkpoint(position, best: best) }
                throw error
            }
            let summary = EpochSummary(
                epoch: position.epoch, train: position.totals, validation: checked,
                seconds: (clock.now - start).inSeconds)
            position.history.append(summary)
            position.epoch += 1
            position.batch = 0
            position.totals = Totals()
            observer.ended(summary)
            guard let rule = options.earlyStopping else { continue }
            let isBest = position.stopping.note(summary, rule).isBest
            if isBest, keepsBest { try learning { () throws(TensorError) in try best.copy(from: runner.parameters) } }
        }
        var result = Result(
            history: position.history, stoppedEarly: stops() && position.epoch <= options.epochs,
            weightsEpoch: position.history.last?.epoch ?? 0, position: position, kept: best)
        if keepsBest, let epoch = position.stopping.best?.epoch, epoch != result.weightsEpoch {
            runner.parameters.exchange(with: best)
            result.weightsEpoch = epoch
        }
        return result
    }

    /// Writes down that the epochs are done, for a stop between them and the model.
    package func checkpoint(_ result: Result, _ observer: any TrainingObserver) throws(LearningError) {
        if keptCount > 0, result.weightsEpoch != result.position.history.last?.epoch {
            runner.parameters.exchange(with: result.kept)
        }
        try observer.checkpoint(result.position, best: result.kept)
    }

    /// Floats of the weights that early stopping may go back to.
    package var keptCount: Int { options.earlyStopping?.restoresBest ?? false ? runner.parameters.count : 0 }

    private func check(_ train: [SampleSelection], _ validation: [SampleSelection]) throws(LearningError) {
        if train.allSatisfy(\.indices.isEmpty) { throw LearningError(.data, "there is no sample to train on") }
        for selection in train { try runner.model(for: selection.samples).check(selection.samples, named: "training") }
        for selection in validation {
            try runner.model(for: selection.samples).check(selection.samples, named: "validation")
        }
        if let rule = options.earlyStopping, rule.monitor.needsValidation, validation.allSatisfy(\.indices.isEmpty) {
            throw LearningError(
                .data, "early stopping watches \(rule.monitor.rawValue), but no sample is for validation")
        }
    }

    private func runEpoch(
        _ order: EpochOrder, _ train: [SampleSelection], _ position: inout TrainingPosition, _ best: FloatBuffer,
        _ observer: any TrainingObserver
    ) throws(LearningError) {
        while position.batch < order.batches.count {
            let batch = order.batches[position.batch]
            do {
                position.totals += try order.withIndices(of: batch) { indices throws(LearningError) in
                    try runner.train(train[batch.bucket].samples, indices)
                }
            } catch {
                throw LearningError(error.code, "epoch \(position.epoch): \(error.message)", layer: error.layer)
            }
            position.batch += 1
            position.step = runner.step
            position.samples += batch.range.count
            observer.stepped(epoch: position.epoch, step: position.batch, samples: position.samples)
            if observer.wantsStop {
                try observer.checkpoint(position, best: best)
                throw interrupted(position.epoch)
            }
            if let every = options.checkpointEvery, position.step.isMultiple(of: every) {
                try observer.checkpoint(position, best: best)
            }
        }
    }

    /// Loss and accuracy with the weights as they are.
    package func evaluate(
        _ selections: [SampleSelection], observer: (any TrainingObserver)? = nil
    ) throws(LearningError) -> Totals {
        var sum = Totals()
        for selection in selections { sum += try evaluate(selection, observer: observer) }
        return sum
    }

    package func evaluate(
        _ selection: SampleSelection, observer: (any TrainingObserver)? = nil
    ) throws(LearningError) -> Totals {
        try runner.model(for: selection.samples).check(selection.samples, named: "evaluation")
        var sum = Totals()
        var start = 0
        // Batch by batch, so that a request to stop is heard.
        let part = runner.model.batchSize
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

extension Duration {
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
