import Tensors

/// Where the training of two networks stands between two steps.
package struct AdversarialPosition: Hashable, Sendable, Codable {
    /// The epoch under way, counted from 1.
    package var epoch = 1
    /// Its batches that are done.
    package var batch = 0
    /// Steps of each network since the start.
    package var step = 0
    /// Real samples trained on since the start.
    package var samples = 0
    /// Of the epoch under way.
    package var losses = AdversarialTrainer.Losses()
    package var history: [AdversarialEpoch] = []

    package init() {}
}

/// The figures of one epoch, sums over its steps, each from before its update.
package struct AdversarialEpoch: Hashable, Sendable, Codable {
    package var epoch: Int
    package var losses: AdversarialTrainer.Losses
    package var seconds: Double
}

package protocol AdversarialObserver: StepObserver {
    func ended(_ epoch: AdversarialEpoch) throws(LearningError)
    /// A good moment to write down where training stands.
    func checkpoint(_ position: AdversarialPosition) throws(LearningError)
}

extension AdversarialTrainer {
    /// Epochs over the real samples, shuffled; what is left of an epoch after its last full batch is not used in it.
    ///
    /// - Parameters:
    ///   - resuming: where an earlier run stood; its state must be restored before.
    ///   - checkpointEvery: steps from one checkpoint to the next; nil for none but before a stop.
    /// - Throws: `data` before the first step, `diverged` or `interrupted` after some.
    package func fit(
        _ indices: [Int32], epochs: Int, resuming: AdversarialPosition? = nil, checkpointEvery: Int? = nil,
        observer: any AdversarialObserver
    ) throws(LearningError) -> [AdversarialEpoch] {
        if indices.count < batchSize {
            throw LearningError(
                .data, "\(indices.count) samples to train on are fewer than a batch, which has \(batchSize)")
        }
        var order = EpochOrder([try SampleSelection(real, indices)], batchSize: batchSize)
        var position = resuming ?? AdversarialPosition()
        while position.epoch <= epochs {
            let start = ContinuousClock.now
            order.shuffle(seed: seed, epoch: position.epoch)
            try runEpoch(order, &position, checkpointEvery, observer)
            let summary = AdversarialEpoch(
                epoch: position.epoch, losses: position.losses, seconds: (ContinuousClock.now - start).inSeconds)
            position.history.append(summary)
            position.epoch += 1
            position.batch = 0
            position.losses = Losses()
            try observer.ended(summary)
        }
        return position.history
    }

    private func runEpoch(
        _ order: EpochOrder, _ position: inout AdversarialPosition, _ checkpointEvery: Int?,
        _ observer: any AdversarialObserver
    ) throws(LearningError) {
        while position.batch < order.batches.count, order.batches[position.batch].range.count == batchSize {
            do {
                position.losses += try order.withIndices(of: order.batches[position.batch]) {
                    indices throws(LearningError) in try train(indices)
                }
            } catch {
                throw LearningError(error.code, "epoch \(position.epoch): \(error.message)", layer: error.layer)
            }
            position.batch += 1
            position.step = step
            position.samples += batchSize
            observer.stepped(epoch: position.epoch, step: position.batch, samples: position.samples)
            if observer.wantsStop {
                try observer.checkpoint(position)
                throw LearningError(.interrupted, "stopped on request in epoch \(position.epoch)")
            }
            if let checkpointEvery, position.step.isMultiple(of: checkpointEvery) { try observer.checkpoint(position) }
        }
    }
}
