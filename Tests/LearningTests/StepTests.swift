import Tensors
import Testing

@testable import Learning

@Suite struct StepTests {
    /// The bits of the parameters after some epochs.
    private func train(_ threads: Int, shards: Int, batchSize: Int, count: Int) throws -> [UInt32] {
        let samples = try Fixture.samples(count, [9])
        let model = try Fixture.model(
            samples, [Dense(units: 17, activation: .relu), Dense(units: 3, activation: .softmax)],
            batchSize: batchSize, shards: shards)
        let runner = try StepRunner(
            model: model, optimizer: Adam(learningRate: 0.01), pool: WorkerPool(workers: threads), seed: 3)
        _ = try Trainer(runner, .init(epochs: 3, seed: 3)).fit(
            SampleSelection(all: samples), validation: nil, observer: Observer())
        return runner.parameters.values.map(\.bitPattern)
    }

    /// Batch sizes that shards do not divide, and last batches with fewer samples than shards.
    @Test(arguments: [(4, 16, 50), (3, 10, 41), (5, 7, 9), (1, 8, 20)])
    func resultsAreEqualToTheBitForAnyNumberOfThreads(shards: Int, batchSize: Int, count: Int) throws {
        let one = try train(1, shards: shards, batchSize: batchSize, count: count)
        for threads in [1, 2, 3] {
            #expect(try train(threads, shards: shards, batchSize: batchSize, count: count) == one, "\(threads) threads")
        }
    }

    @Test func shardsGiveTheSameSumsAsOne() throws {
        let one = try train(1, shards: 1, batchSize: 16, count: 50).map { Float(bitPattern: $0) }
        let four = try train(1, shards: 4, batchSize: 16, count: 50).map { Float(bitPattern: $0) }
        for (a, b) in zip(one, four) { #expect(abs(a - b) < 1e-3) }
    }

    @Test func everyPartOfABatchFallsToOneShard() throws {
        let samples = try Fixture.samples(1, [2])
        let model = try Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 11, shards: 4)
        for count in 0...11 {
            let ranges = (0..<4).map { model.range(ofShard: $0, count: count) }
            #expect(ranges.flatMap { Array($0) } == Array(0..<count))
            #expect(ranges.allSatisfy { $0.count <= model.plan.rows })
        }
    }

    @Test func divergenceStopsWithStepAndLayer() throws {
        let samples = try Fixture.samples(20, [4])
        let model = try Fixture.model(
            samples, [Dense(units: 8, activation: .relu), Dense(units: 3, activation: .softmax)], batchSize: 5,
            shards: 2)
        let runner = try StepRunner(
            model: model, optimizer: SGD(learningRate: 1e30), pool: WorkerPool(workers: 2), seed: 3)
        let error = #expect(throws: LearningError.self) {
            _ = try Trainer(runner, .init(epochs: 20)).fit(
                SampleSelection(all: samples), validation: nil, observer: Observer())
        }
        #expect(error?.code == .diverged)
        #expect(error?.layer != nil)
        #expect(error?.message.contains("epoch 1") == true)
        #expect(error?.message.contains("at step ") == true)
        #expect(error?.message.contains("dense-") == true, "\(error?.message ?? "")")
    }

    @Test func aBadSampleIsNamedAndTheParametersStay() throws {
        let samples = try Fixture.samples(20, [4])
        samples.features.base[7] = .nan
        let model = try Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 20)
        let runner = try StepRunner(model: model, optimizer: SGD(), pool: WorkerPool(workers: 1), seed: 3)
        let before = runner.parameters.values
        let error = #expect(throws: LearningError.self) {
            _ = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        }
        #expect(error?.message.contains("a sample holds") == true)
        #expect(runner.parameters.values == before)
    }

    @Test func reluLetsNaNThrough() throws {
        let samples = try Fixture.samples(4, [4])
        let model = try Fixture.model(
            samples, [Dense(units: 8, activation: .relu), ReLU(), Dense(units: 3, activation: .softmax)], batchSize: 4)
        let runner = try StepRunner(model: model, optimizer: SGD(), pool: WorkerPool(workers: 1), seed: 3)
        runner.parameters.base[0] = .nan
        let error = #expect(throws: LearningError.self) {
            _ = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        }
        #expect(error?.layer == 0)
    }

    @Test func aBatchLargerThanPlannedIsRefused() throws {
        let samples = try Fixture.samples(4, [4])
        let model = try Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 3)
        let runner = try StepRunner(model: model, optimizer: SGD(), pool: WorkerPool(workers: 1), seed: 3)
        #expect(throws: LearningError.self) {
            _ = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        }
    }

    @Test func lossStaysFiniteForLargeLogits() throws {
        let samples = try Fixture.samples(3, [3])
        for i in 0..<9 { samples.features.base[i] = i.isMultiple(of: 2) ? 1e6 : -1e6 }
        let model = try Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 3)
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: 3)
        let totals = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        #expect(totals.meanLoss.isFinite)
        #expect(runner.gradients.values.allSatisfy { $0.isFinite })
    }
}
