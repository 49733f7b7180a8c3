import Tensors
import Testing

@testable import Learning

@Suite struct ResumeTests {
    /// Keeps the checkpoint that comes before a stop.
    private final class Keeper: TrainingObserver {
        var stopsAfter = Int.max
        private var steps = 0
        private(set) var position: TrainingPosition?
        private(set) var parameters: [Float] = []
        private(set) var moments: [Float] = []
        private(set) var best: [Float] = []
        private(set) var checkpoints = 0
        let runner: StepRunner

        init(_ runner: StepRunner) { self.runner = runner }
        func stepped(epoch: Int, step: Int, samples: Int) { steps += 1 }
        func ended(_ epoch: EpochSummary) {}
        var wantsStop: Bool { steps >= stopsAfter }
        func checkpoint(_ position: TrainingPosition, best: FloatBuffer) {
            checkpoints += 1
            self.position = position
            parameters = runner.parameters.values
            moments = runner.moments.values
            self.best = best.values
        }
    }

    private let rule = EarlyStopping(monitor: .validationLoss, patience: 9, restoresBest: true)

    private func runner(_ samples: Samples) throws -> StepRunner {
        let model = try Fixture.model(
            samples, [Dense(units: 9, activation: .relu), Dense(units: 3, activation: .softmax)], batchSize: 7,
            shards: 2)
        return try StepRunner(
            model: model, optimizer: Adam(learningRate: 0.02), clipping: .globalNorm(1), pool: WorkerPool(workers: 2),
            seed: 4)
    }

    private func buffer(_ values: [Float]) throws -> FloatBuffer {
        let buffer = try FloatBuffer(count: values.count)
        for (index, value) in values.enumerated() { buffer.base[index] = value }
        return buffer
    }

    private func fit(
        _ runner: StepRunner, _ samples: Samples, _ observer: Keeper, from keeper: Keeper? = nil, every: Int? = nil,
        rule: EarlyStopping? = nil
    ) throws -> Trainer.Result {
        if let keeper {
            try runner.parameters.copy(from: buffer(keeper.parameters))
            try runner.moments.copy(from: buffer(keeper.moments))
            runner.resume(at: try #require(keeper.position).step)
        }
        return try Trainer(runner, .init(epochs: 4, earlyStopping: rule ?? self.rule, seed: 4, checkpointEvery: every))
            .fit(
                [SampleSelection(samples, Array(0..<30)), SampleSelection(samples, Array(30..<40))],
                validation: [SampleSelection(samples, Array(40..<60))], resuming: keeper?.position,
                best: try keeper.map { try buffer($0.best) }, observer: observer)
    }

    @Test func stoppingAndGoingOnChangesNothingToTheLastBit() throws {
        let samples = try Fixture.separable(60)
        let whole = try runner(samples)
        let expected = try fit(whole, samples, Keeper(whole))
        // Within an epoch, at the end of one, in the last one.
        for steps in [1, 5, 7, 8, 20, 27] {
            let first = try runner(samples)
            let keeper = Keeper(first)
            keeper.stopsAfter = steps
            #expect(throws: LearningError.self) { _ = try fit(first, samples, keeper) }
            let second = try runner(samples)
            let result = try fit(second, samples, Keeper(second), from: keeper)
            #expect(result.history.map(\.train) == expected.history.map(\.train), "after \(steps) steps")
            #expect(result.history.map(\.validation) == expected.history.map(\.validation))
            #expect(result.weightsEpoch == expected.weightsEpoch)
            #expect(second.parameters.values.map(\.bitPattern) == whole.parameters.values.map(\.bitPattern))
        }
    }

    @Test func checkpointsComeEverySoManySteps() throws {
        let samples = try Fixture.separable(60)
        let runner = try runner(samples)
        let keeper = Keeper(runner)
        _ = try fit(runner, samples, keeper, every: 5)
        // 7 batches an epoch, 4 epochs.
        #expect(keeper.checkpoints == 28 / 5)
        #expect(keeper.position?.step == 25)
    }

    @Test func otherWeightsAreRefused() throws {
        let samples = try Fixture.separable(60)
        let runner = try runner(samples)
        let trainer = Trainer(runner, .init(epochs: 1, earlyStopping: rule))
        #expect(throws: LearningError.self) {
            _ = try trainer.fit(
                [SampleSelection(all: samples)], validation: [SampleSelection(all: samples)],
                best: FloatBuffer(count: 3), observer: Keeper(runner))
        }
    }

    /// Between the last epoch and the model nothing is lost either: not the weights of the last epoch, nor the best.
    @Test func aStopAfterTheLastEpochGoesOnToTheSameModel() throws {
        let samples = try Fixture.separable(60)
        let first = try runner(samples)
        let keeper = Keeper(first)
        // So much better is no epoch than the first: its weights are kept, and the last ones wait elsewhere.
        let rule = EarlyStopping(monitor: .validationLoss, patience: 9, minimumDelta: 1e6, restoresBest: true)
        let expected = try fit(first, samples, keeper, rule: rule)
        #expect(expected.weightsEpoch == 1)
        let best = first.parameters.values
        try Trainer(first, .init(epochs: 4, earlyStopping: rule, seed: 4)).checkpoint(expected, keeper)
        let position = try #require(keeper.position)
        #expect(position.epoch == 5)

        let second = try runner(samples)
        #expect(keeper.best == best && keeper.parameters != best)
        let result = try fit(second, samples, Keeper(second), from: keeper, rule: rule)
        #expect(second.step == first.step && result.weightsEpoch == expected.weightsEpoch)
        #expect(result.history == expected.history && second.parameters.values == best)
    }
}
