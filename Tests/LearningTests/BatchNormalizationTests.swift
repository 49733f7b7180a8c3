import Tensors
import Testing

@testable import Learning

@Suite struct BatchNormalizationTests {
    @Test func valuesOfPyTorch() throws {
        let golden = try GoldenFile("convolution")
        func values(_ name: String) throws -> [Float] { try golden.values("batch-norm." + name) }
        let shape = try golden.shape("batch-norm.x")
        let run = try OneLayer(BatchNormalization(), Array(shape.dropFirst()), rows: shape[0])
        run.set("gamma", try values("gamma"))
        run.set("beta", try values("beta"))
        #expect(largestError(try run.forward(values("x")), try values("y")) < 1e-5)
        #expect(largestError(try run.backward(values("dy")), try values("dx")) < 1e-5)
        #expect(largestError(run.gradient("gamma"), try values("dgamma")) < 1e-5)
        #expect(largestError(run.gradient("beta"), try values("dbeta")) < 1e-5)
        let (mean, variance) = (run.gradient("moving-mean"), run.gradient("moving-variance"))
        #expect(largestError(mean.map { 0.1 * $0 }, try values("mean")) < 1e-5)
        #expect(largestError(variance.map { 0.9 + 0.1 * $0 }, try values("variance")) < 1e-5)
        run.set("moving-mean", try values("mean"))
        run.set("moving-variance", try values("variance"))
        #expect(largestError(try run.forward(values("x"), isTraining: false), try values("evaluated")) < 1e-5)
    }

    @Test func everyShapeEqualsTheReference() throws {
        var generator = SplitMix64(seed: 12)
        for round in 0..<20 {
            // Beyond a block of rows, and with a mean that is large beside the deviation.
            let positions = round % 5 == 0 ? 150 + generator.below(300) : 1 + generator.below(9)
            let channels = 1 + generator.below(21)
            let rows = 2 + generator.below(3)
            let layer = BatchNormalization(activation: round % 2 == 0 ? .relu : .linear)
            let accumulates = generator.below(2) == 0
            let run = try OneLayer(layer, [positions, channels], rows: rows, accumulates: accumulates)
            let x = generator.floats(rows * positions * channels).map { $0 + (round % 3 == 0 ? 50 : 0) }
            let (gamma, beta) = (generator.floats(channels), generator.floats(channels))
            let (dy, before) = (generator.floats(x.count), generator.floats(x.count))
            run.set("gamma", gamma)
            run.set("beta", beta)
            let expected = layer.reference(
                x.map(Double.init), gamma: gamma.map(Double.init), beta: beta.map(Double.init),
                gradient: dy.map(Double.init))
            #expect(largestError(try run.forward(x), expected.y) < 1e-3)
            var dx = try run.backward(dy, before: accumulates ? before : [])
            if accumulates { for i in dx.indices { dx[i] -= before[i] } }
            #expect(largestError(dx, expected.dx) < 2e-3)
            #expect(largestError(run.gradient("gamma"), expected.dgamma) < 2e-3)
            #expect(largestError(run.gradient("beta"), expected.dbeta) < 1e-3)
            #expect(largestError(run.gradient("moving-mean"), expected.mean) < 1e-5)
            #expect(largestError(run.gradient("moving-variance"), expected.variance) < 1e-4)
        }
    }

    /// Central differences of the loss in training, where the statistics depend on the data; evaluation, which the
    /// general check uses, has others.
    @Test func gradientsInTraining() throws {
        let samples = try Fixture.samples(5, [3, 3])
        let layers: [any Layer] = [
            Dense(units: 3), BatchNormalization(activation: .relu), Flatten(), Dense(units: 3, activation: .softmax),
        ]
        let runner = try StepRunner(
            model: Fixture.model(samples, layers, batchSize: 5), optimizer: Still(), pool: WorkerPool(workers: 1),
            seed: 4)
        let indices = Fixture.indices(samples)
        func loss() throws -> Double {
            try indices.withUnsafeBufferPointer { try runner.train(samples, $0).meanLoss }
        }
        _ = try loss()
        let gradients = runner.gradients.values
        for parameter in runner.model.plan.parameters where parameter.isLearnt {
            for i in parameter.offset..<(parameter.offset + parameter.count) {
                let pointer = runner.parameters.base + i
                let kept = pointer.pointee
                pointer.pointee = kept + 5e-3
                let above = try loss()
                pointer.pointee = kept - 5e-3
                let below = try loss()
                pointer.pointee = kept
                let numeric = (above - below) / 1e-2
                #expect(abs(numeric - Double(gradients[i])) < 2e-3 + 2e-2 * abs(numeric), "\(parameter.name)")
            }
        }
    }

    /// Each shard normalises by its own statistics; the moving values follow the mean of all, weighted by size.
    @Test func movingValuesFollowTheShards() throws {
        let samples = try Fixture.samples(5, [4])
        let model = try Fixture.model(
            samples, [BatchNormalization(momentum: 0.75), Dense(units: 3, activation: .softmax)], batchSize: 5,
            shards: 2)
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 2), seed: 1)
        _ = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        let layer = BatchNormalization()
        let x = samples.features.values.map(Double.init)
        let ones = [Double](repeating: 1, count: 4)
        func observed(_ range: Range<Int>) -> (mean: [Double], variance: [Double]) {
            let part = Array(x[(range.lowerBound * 4)..<(range.upperBound * 4)])
            let result = layer.reference(part, gamma: ones, beta: ones, gradient: part)
            return (result.mean, result.variance)
        }
        let (first, second) = (observed(0..<3), observed(3..<5))
        for parameter in model.plan.parameters where !parameter.isLearnt {
            let isMean = parameter.name.hasSuffix("mean")
            for c in 0..<4 {
                let (a, b) = isMean ? (first.mean[c], second.mean[c]) : (first.variance[c], second.variance[c])
                let expected = 0.75 * (isMean ? 0 : 1) + 0.25 * (0.6 * a + 0.4 * b)
                #expect(abs(Double(runner.parameters.base[parameter.offset + c]) - expected) < 1e-5)
            }
        }
    }

    /// After many steps on the same batch evaluation computes what training does.
    @Test func evaluationConvergesToTraining() throws {
        let samples = try Fixture.samples(7, [3, 5])
        let layers: [any Layer] = [BatchNormalization(momentum: 0.5), Flatten(), Dense(units: 3, activation: .softmax)]
        let runner = try StepRunner(
            model: Fixture.model(samples, layers, batchSize: 7), optimizer: Still(), pool: WorkerPool(workers: 1),
            seed: 4)
        let (training, evaluation) = try Fixture.indices(samples).withUnsafeBufferPointer { indices in
            for _ in 0..<30 { _ = try runner.train(samples, indices) }
            return (try runner.train(samples, indices).meanLoss, try runner.evaluate(samples, indices).meanLoss)
        }
        #expect(abs(training - evaluation) < 1e-5)
    }
}
