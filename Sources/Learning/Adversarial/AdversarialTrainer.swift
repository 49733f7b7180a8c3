package import Tensors

/// Two networks against each other: the generator turns noise into samples, the discriminator learns to tell them from
/// real ones, and the generator learns from the discriminator what gives it away: Goodfellow et al., "Generative
/// adversarial nets", 2014, with the non-saturating loss of its section 3 (the generator's samples are presented as real).
///
/// Three runners over plain networks do it, in alternating steps: the generator alone makes samples; the discriminator
/// alone learns from a batch that is half real and half made; and both in a row, of which only the generator's part
/// learns. Between them weights are copied, which costs less than a hundredth of a step.
package final class AdversarialTrainer {
    package struct Losses: Hashable, Sendable, Codable {
        package var discriminator = Totals()
        package var generator = Totals()

        package static func += (sum: inout Losses, other: Losses) {
            sum.discriminator += other.discriminator
            sum.generator += other.generator
        }
    }

    private let generator: StepRunner
    private let discriminator: StepRunner
    /// Generator and discriminator in a row. Its parameters are all there are, under the names of the layers after
    /// `generator.` and `discriminator.`.
    package let chain: StepRunner
    private let latent: Int
    private let rows: [Int32]
    private let fromDiscriminator: WeightCopy
    private let toGenerator: WeightCopy
    let batchSize: Int
    let real: Samples
    private let noise: Samples
    private let mixed: Samples
    let seed: UInt64

    /// - Parameters:
    ///   - generator: from `[latent]` to the shape of a sample.
    ///   - discriminator: from the shape of a sample to one sigmoid.
    ///   - batchSize: real samples in a step, with as many made ones.
    /// - Throws: `model` if the two do not fit together or to the samples.
    package init(
        generator: Network, discriminator: Network, samples real: Samples, optimizers: (any Optimizer, any Optimizer),
        clipping: Clipping = .none, batchSize: Int, shards: Int, pool: WorkerPool, seed: UInt64
    ) throws(LearningError) {
        let models = try AdversarialTrainer.models(
            generator: generator, discriminator: discriminator, sample: real.shape, batchSize: batchSize, shards: shards
        )
        self.generator = try StepRunner(model: models.generator, optimizer: SGD(), pool: pool, seed: seed)
        self.discriminator = try StepRunner(
            model: models.discriminator, optimizer: optimizers.1, clipping: clipping, pool: pool, seed: seed &+ 1)
        chain = try StepRunner(
            models: [models.chain], optimizer: optimizers.0, clipping: clipping, learning: generator.nodes.count,
            pool: pool, seed: seed)
        let latent = generator.inputShapes[0].count
        self.latent = latent
        rows = (0..<Int32(2 * batchSize)).map { $0 }
        fromDiscriminator = WeightCopy(from: self.discriminator, to: chain, adding: "discriminator.")
        toGenerator = WeightCopy(from: chain, to: self.generator, removing: "generator.")
        self.batchSize = batchSize
        self.real = real
        self.seed = seed
        (noise, mixed) = try learning { () throws(TensorError) in
            let one = try Shape([1])
            let noise = try Samples(
                count: batchSize, inputs: generator.inputShapes, features: FloatBuffer(count: batchSize * latent),
                targetShape: one, targets: FloatBuffer(count: batchSize))
            let mixed = try Samples(
                count: 2 * batchSize, shape: real.shape, features: FloatBuffer(count: 2 * batchSize * real.width),
                targetShape: one, targets: FloatBuffer(count: 2 * batchSize))
            return (noise, mixed)
        }
        // What is made shall pass for real; and the first half of a mixed batch is.
        noise.targets.base.update(repeating: 1, count: batchSize)
        mixed.targets.base.update(repeating: 1, count: batchSize)
        toGenerator.run()
    }

    /// Steps taken.
    package var step: Int { chain.step }

    /// Everything that the next step depends on, but the step's number.
    package var state: [(name: String, values: FloatBuffer)] {
        [
            ("parameters", chain.parameters), ("moments", chain.moments),
            ("discriminator-parameters", discriminator.parameters), ("discriminator-moments", discriminator.moments),
        ]
    }

    /// Takes up where an earlier run stood, after its ``state`` was copied to where it belongs.
    package func resume(at step: Int) {
        chain.resume(at: step)
        discriminator.resume(at: step)
        toGenerator.run()
    }

    /// One step of each network on the real samples with these indices; a full batch.
    package func train(_ indices: UnsafeBufferPointer<Int32>) throws(LearningError) -> Losses {
        guard indices.count == batchSize else {
            throw LearningError(.data, "\(indices.count) real samples, where a step takes \(batchSize)")
        }
        var losses = Losses()
        let width = real.width
        for (row, index) in indices.enumerated() {
            (mixed.features.base + row * width).update(from: real.features.base + Int(index) * width, count: width)
        }
        draw(0)
        try all(batchSize) { rows throws(LearningError) in
            try generator.predict(noise, rows, into: mixed.features.base + batchSize * width)
        }
        do {
            try all(2 * batchSize) { rows throws(LearningError) in
                losses.discriminator = try discriminator.train(mixed, rows)
            }
        } catch {
            // What the discriminator sees as a sample may be what the generator made of its noise.
            throw error.code == .diverged ? generator.whereItBroke("a sample made in step \(step + 1)") ?? error : error
        }
        fromDiscriminator.run()
        draw(1)
        try all(batchSize) { rows throws(LearningError) in losses.generator = try chain.train(noise, rows) }
        toGenerator.run()
        return losses
    }

    /// Makes `count` samples from noise of its own, the same for the same seed: `[count][shape]`.
    package func make(_ count: Int, seed: UInt64, into outputs: FloatPointer) throws(LearningError) {
        var generator = SplitMix64(seed: seed, stream: 6)
        var start = 0
        while start < count {
            let part = min(batchSize, count - start)
            for i in 0..<(part * latent) { noise.features.base[i] = generator.normal() }
            try all(part) { rows throws(LearningError) in
                try self.generator.predict(noise, rows, into: outputs + start * real.width)
            }
            start += part
        }
    }

    /// Noise that is the step's own, so that it is the same however often training stopped before.
    private func draw(_ half: UInt64) {
        var generator = SplitMix64(seed: SplitMix64.mix(seed, 7, 2 * UInt64(step) + half))
        for i in 0..<(batchSize * latent) { noise.features.base[i] = generator.normal() }
    }

    /// Runs `body` with the indices of the first `count` rows.
    private func all(
        _ count: Int, _ body: (UnsafeBufferPointer<Int32>) throws(LearningError) -> Void
    ) throws(LearningError) {
        try rows.withUnsafeBufferPointer { all throws(LearningError) in
            try body(UnsafeBufferPointer(rebasing: all[..<count]))
        }
    }
}
