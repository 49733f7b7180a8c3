import Tensors
import Testing

@testable import Learning

/// Two networks against each other.
@Suite struct AdversarialTests {
    private func network(_ input: Int, _ layers: [(String, any Layer)]) throws -> Network {
        try Network(
            inputShapes: [try Shape([input])],
            nodes: layers.enumerated().map { index, entry in
                .init(name: entry.0, layer: entry.1, inputs: [index == 0 ? .input(0) : .node(index - 1)])
            })
    }

    private var generator: Network {
        get throws {
            try network(
                3, [("hidden", Dense(units: 16, activation: .tanh)), ("out", Dense(units: 2, activation: .linear))])
        }
    }

    private var discriminator: Network {
        get throws {
            try network(
                2,
                [
                    ("hidden", Dense(units: 16, activation: .tanh)), ("dropout", Dropout(rate: 0.1)),
                    ("out", Dense(units: 1, activation: .sigmoid)),
                ])
        }
    }

    /// Points around (2, -1) with deviations 0.5 and 0.25.
    private func points(_ count: Int) throws -> Samples {
        var random = SplitMix64(seed: 3)
        let features = try FloatBuffer(count: count * 2)
        for row in 0..<count {
            features.base[2 * row] = 2 + 0.5 * random.normal()
            features.base[2 * row + 1] = -1 + 0.25 * random.normal()
        }
        return try Samples(
            count: count, shape: try Shape([2]), features: features, targetShape: try Shape([]),
            targets: try FloatBuffer(count: count))
    }

    private func trainer(
        _ samples: Samples, workers: Int = 1, rate: Float = 0.01
    ) throws -> AdversarialTrainer {
        let adam = Adam(learningRate: rate, beta1: 0.5)
        return try AdversarialTrainer(
            generator: try generator, discriminator: try discriminator, samples: samples, optimizers: (adam, adam),
            batchSize: 16, shards: 2, pool: try WorkerPool(workers: workers), seed: 5)
    }

    private final class Quiet: AdversarialObserver {
        var epochs: [AdversarialEpoch] = []
        var stopAfter: Int?
        private(set) var position: AdversarialPosition?
        private(set) var state: [FloatBuffer] = []
        private var steps = 0
        private let trainer: AdversarialTrainer
        init(_ trainer: AdversarialTrainer) { self.trainer = trainer }

        var wantsStop: Bool { stopAfter.map { steps >= $0 } ?? false }
        func stepped(epoch: Int, step: Int, samples: Int) { steps += 1 }
        func ended(_ epoch: AdversarialEpoch) { epochs.append(epoch) }
        func checkpoint(_ position: AdversarialPosition) throws(LearningError) {
            self.position = position
            state = try learning { () throws(TensorError) in
                try trainer.state.map { entry throws(TensorError) in
                    let copy = try FloatBuffer(count: entry.values.count)
                    try copy.copy(from: entry.values)
                    return copy
                }
            }
        }
    }

    private func fit(_ trainer: AdversarialTrainer, _ samples: Samples, epochs: Int) throws -> Quiet {
        let observer = Quiet(trainer)
        _ = try trainer.fit((0..<Int32(samples.count)).map { $0 }, epochs: epochs, observer: observer)
        return observer
    }

    @Test func theGeneratorComesToLieWhereTheSamplesDo() throws {
        let samples = try points(320)
        let trainer = try trainer(samples)
        func means() throws -> (Float, Float) {
            let count = 500
            let made = try FloatBuffer(count: count * 2)
            try trainer.make(count, seed: 9, into: made.base)
            var (x, y) = (Float(0), Float(0))
            for row in 0..<count {
                x += made.base[2 * row] / Float(count)
                y += made.base[2 * row + 1] / Float(count)
            }
            return (x, y)
        }
        let before = try means()
        #expect(abs(before.0 - 2) > 1)
        let observer = try fit(trainer, samples, epochs: 60)
        let after = try means()
        #expect(abs(after.0 - 2) < 0.4 && abs(after.1 + 1) < 0.4, "\(after)")
        #expect(observer.epochs.count == 60)
        // Half of what the discriminator sees is real, half is made.
        #expect(observer.epochs[0].losses.discriminator.samples == 640)
        #expect(observer.epochs[0].losses.generator.samples == 320)
        #expect(trainer.step == 60 * 20)
    }

    @Test func eachNetworkLearnsOnlyInItsOwnStep() throws {
        let samples = try points(16)
        let trainer = try trainer(samples)
        let start = trainer.chain.parameters.values
        let split = try #require(trainer.chain.model.plan.parameters.first { $0.name.hasPrefix("discriminator.") })
        let indices = (0..<Int32(16)).map { $0 }
        _ = try indices.withUnsafeBufferPointer { try trainer.train($0) }
        let chain = trainer.chain.parameters.values
        // The chain took the discriminator's new weights over, and changed none of them itself.
        let own = trainer.state[2].values.values
        for (offset, value) in own.enumerated() { #expect(chain[split.offset + offset] == value) }
        #expect(chain[..<split.offset] != start[..<split.offset])
        #expect(chain[split.offset...] != start[split.offset...])
    }

    @Test func threadsAndStopsDoNotChangeTheResult() throws {
        let samples = try points(70)
        let whole = try trainer(samples)
        _ = try fit(whole, samples, epochs: 5)
        let two = try trainer(samples, workers: 2)
        _ = try fit(two, samples, epochs: 5)
        #expect(two.chain.parameters.values == whole.chain.parameters.values)

        // 70 samples are four full batches an epoch.
        for stop in [1, 4, 7, 13] {
            let first = try trainer(samples)
            let observer = Quiet(first)
            observer.stopAfter = stop
            #expect(throws: LearningError.self) {
                _ = try first.fit((0..<70).map { $0 }, epochs: 5, observer: observer)
            }
            let position = try #require(observer.position)
            #expect(position.step == stop)
            let second = try trainer(samples)
            for (own, kept) in zip(second.state, observer.state) { try own.values.copy(from: kept) }
            second.resume(at: position.step)
            let history = try second.fit(
                (0..<70).map { $0 }, epochs: 5, resuming: position, observer: Quiet(second))
            #expect(second.chain.parameters.values == whole.chain.parameters.values, "stopped after \(stop)")
            #expect(history.count == 5)
        }
    }

    @Test func networksThatDoNotFitAreRefused() throws {
        let shape = try Shape([5])
        func problem(_ generator: Network, _ discriminator: Network) -> String {
            do {
                _ = try AdversarialTrainer.models(
                    generator: generator, discriminator: discriminator, sample: shape, batchSize: 4, shards: 1)
                return ""
            } catch { return error.message }
        }
        #expect(
            problem(try generator, try discriminator)
                == "the generator must turn one input into 5, the shape of the samples")
        let five = try network(3, [("out", Dense(units: 5, activation: .linear))])
        #expect(problem(five, try discriminator) == "the discriminator must turn 5 into one number")
        let many = try network(5, [("out", Dense(units: 2, activation: .linear))])
        #expect(problem(five, many) == "the discriminator must turn 5 into one number")
        let samples = try points(10)
        let trainer = try trainer(samples)
        #expect(throws: LearningError.self) { _ = try fit(trainer, samples, epochs: 1) }
    }

    /// A generator that diverges is not taken for bad samples.
    @Test func aDivergingGeneratorIsNamed() throws {
        let samples = try points(16)
        let trainer = try AdversarialTrainer(
            generator: try generator, discriminator: try discriminator, samples: samples,
            optimizers: (SGD(learningRate: .greatestFiniteMagnitude), SGD(learningRate: 1e-6)), batchSize: 16,
            shards: 2,
            pool: try WorkerPool(workers: 1), seed: 5)
        let error = #expect(throws: LearningError.self) {
            for _ in 0..<5 { _ = try (0..<16).map { Int32($0) }.withUnsafeBufferPointer { try trainer.train($0) } }
        }
        let message = error?.message ?? ""
        #expect(error?.code == .diverged && message.hasPrefix("a sample made in step "), "\(message)")
        #expect(message.contains("the weights ") || message.contains("the output of layer "), "\(message)")
    }
}
