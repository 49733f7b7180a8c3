import Tensors
import Testing

@testable import Learning

@Suite struct TrainerTests {
    private func runner(_ samples: Samples, _ optimizer: any Optimizer = Adam(learningRate: 0.05)) throws -> StepRunner
    {
        let model = try Fixture.model(
            samples, [Dense(units: 16, activation: .relu), Dense(units: 3, activation: .softmax)], batchSize: 16,
            shards: 2)
        return try StepRunner(model: model, optimizer: optimizer, pool: WorkerPool(workers: 2), seed: 1)
    }

    @Test(arguments: [0, 1, 2]) func learnsWhatCanBeLearnt(which: Int) throws {
        let optimizers: [any Optimizer] = [
            Adam(learningRate: 0.02), SGD(learningRate: 0.2), SGD(learningRate: 0.05, momentum: 0.9),
        ]
        let samples = try Fixture.separable(300)
        let runner = try runner(samples, optimizers[which])
        let observer = Observer()
        let result = try Trainer(runner, .init(epochs: 30)).fit(
            SampleSelection(samples, Array(0..<240)), validation: SampleSelection(samples, Array(240..<300)),
            observer: observer)
        #expect(result.history.count == 30)
        #expect(observer.epochs == result.history)
        #expect(observer.steps == 30 * 15)
        let last = try #require(result.history.last)
        #expect(last.train.samples == 240 && last.validation?.samples == 60)
        #expect(last.train.accuracy > 0.95)
        #expect((last.validation?.accuracy ?? 0) > 0.85)
        #expect(last.train.meanLoss < result.history[0].train.meanLoss / 2)
    }

    @Test func evaluationOfPartsEqualsTheWhole() throws {
        let samples = try Fixture.separable(100)
        let runner = try runner(samples)
        let trainer = Trainer(runner, .init(epochs: 1))
        let whole = try trainer.evaluate(SampleSelection(all: samples))
        var sum = Totals()
        sum += try trainer.evaluate(SampleSelection(samples, Array(0..<37)))
        sum += try trainer.evaluate(SampleSelection(samples, Array(37..<100)))
        #expect(whole.samples == 100 && sum.correct == whole.correct)
        #expect(abs(sum.meanLoss - whole.meanLoss) < 1e-6)
    }

    @Test func shufflingDependsOnTheSeedAlone() throws {
        func loss(_ seed: UInt64) throws -> Double {
            let samples = try Fixture.separable(100)
            let result = try Trainer(try runner(samples), .init(epochs: 2, seed: seed)).fit(
                SampleSelection(all: samples), validation: nil, observer: Observer())
            return result.history[1].train.meanLoss
        }
        #expect(try loss(1) == loss(1))
        #expect(try loss(1) != loss(2))
    }

    @Test func stopsWhenAsked() throws {
        let samples = try Fixture.separable(100)
        let observer = Observer()
        observer.stopsAfter = 3
        let error = #expect(throws: LearningError.self) {
            _ = try Trainer(try runner(samples), .init(epochs: 5)).fit(
                SampleSelection(all: samples), validation: nil, observer: observer)
        }
        #expect(error?.code == .interrupted)
        #expect(observer.steps == 3)
    }

    @Test func restoresTheBestEpoch() throws {
        // Random labels: validation soon gets worse while training goes on.
        let samples = try Fixture.samples(120, [6])
        let rule = EarlyStopping(monitor: .validationLoss, patience: 4, restoresBest: true)
        let runner = try runner(samples)
        let held = try SampleSelection(samples, Array(60..<120))
        let trainer = Trainer(runner, .init(epochs: 60, earlyStopping: rule))
        let result = try trainer.fit(
            SampleSelection(samples, Array(0..<60)), validation: held, observer: Observer())
        #expect(result.stoppedEarly)
        #expect(result.history.count == result.weightsEpoch + 4)
        let losses = result.history.compactMap { $0.validation?.meanLoss }
        let best = try #require(losses.min())
        #expect(try trainer.evaluate(held).meanLoss == best)
        #expect(result.history[result.weightsEpoch - 1].validation?.meanLoss == best)
    }

    @Test func watchingValidationNeedsSome() throws {
        let samples = try Fixture.separable(20)
        #expect(throws: LearningError.self) {
            _ = try Trainer(try runner(samples), .init(epochs: 1, earlyStopping: EarlyStopping())).fit(
                SampleSelection(all: samples), validation: nil, observer: Observer())
        }
        #expect(throws: LearningError.self) { _ = try SampleSelection(samples, [20]) }
        #expect(throws: LearningError.self) { _ = try SampleSelection(samples, [-1]) }
    }
}

@Suite struct EarlyStoppingTests {
    private func epochs(_ losses: [Double]) -> [EpochSummary] {
        losses.enumerated().map { index, loss in
            var totals = Totals()
            totals.positions = 100
            totals.loss = loss * 100
            totals.correct = Int(100 - loss)
            return EpochSummary(epoch: index + 1, train: totals, validation: totals, seconds: 0)
        }
    }

    private func stop(_ rule: EarlyStopping, _ losses: [Double]) -> (at: Int?, best: Int?) {
        var progress = EarlyStopping.Progress()
        for epoch in epochs(losses) where progress.note(epoch, rule).stops {
            return (epoch.epoch, progress.best?.epoch)
        }
        return (nil, progress.best?.epoch)
    }

    @Test func waitsForItsPatience() {
        let rule = EarlyStopping(monitor: .validationLoss, patience: 2)
        #expect(stop(rule, [5, 4, 3, 4, 3]) == (5, 3))
        #expect(stop(rule, [5, 4, 5, 3, 4, 2]) == (nil, 6))
        // Equal is no improvement.
        #expect(stop(rule, [5, 5, 5]) == (3, 1))
    }

    @Test func accuracyRises() {
        #expect(stop(EarlyStopping(monitor: .accuracy, patience: 1), [30, 20, 10, 20]) == (4, 3))
    }

    @Test func smallGainsDoNotCount() {
        let rule = EarlyStopping(monitor: .loss, patience: 2, minimumDelta: 1)
        #expect(stop(rule, [5, 4.5, 4.2]) == (3, 1))
    }
}
