import Tensors
import Testing

@testable import Learning

/// The gradients of the losses against central differences of them.
@Suite struct LossGradientTests {
    private func softmax(_ loss: any Loss, _ samples: Samples, classes: Int = 3) throws {
        try GradientCheck.run([Dense(units: classes, activation: .softmax)], samples, loss: loss)
    }

    @Test func sparseWithEverything() throws {
        let samples = try Fixture.samples(5, [4, 3], target: [4])
        try softmax(SparseCategoricalCrossentropy(ignoring: 0), samples)
        try softmax(SparseCategoricalCrossentropy(labelSmoothing: 0.2), samples)
        try softmax(
            SparseCategoricalCrossentropy(ignoring: 1, labelSmoothing: 0.1, classWeights: [0.5, 7, 2]), samples)
        try softmax(
            SparseCategoricalCrossentropy(labelSmoothing: 0.1),
            try Fixture.samples(3, [5], classes: 19), classes: 19)
    }

    /// Targets that are distributions over three classes.
    private func distributions() throws -> Samples {
        let samples = try Fixture.samples(5, [2, 3], target: [2, 3])
        var generator = SplitMix64(seed: 2)
        for position in 0..<10 {
            let t = samples.targets.base + position * 3
            (t[0], t[1]) = (generator.uniform(0, 0.5), generator.uniform(0, 0.5))
            t[2] = 1 - t[0] - t[1]
        }
        return samples
    }

    @Test func categorical() throws {
        try softmax(CategoricalCrossentropy(), try distributions())
        try softmax(CategoricalCrossentropy(labelSmoothing: 0.1, classWeights: [3, 0.5, 1]), try distributions())
    }

    @Test func binary() throws {
        let one = try Fixture.samples(7, [3], classes: 2)
        try GradientCheck.run([Dense(units: 1, activation: .sigmoid)], one, loss: BinaryCrossentropy())
        let many = try Fixture.samples(5, [3], target: [9], classes: 3)
        for i in 0..<many.targets.count { many.targets.base[i] /= 2 }
        try GradientCheck.run(
            [Dense(units: 9, activation: .sigmoid)], many,
            loss: BinaryCrossentropy(ignoring: 0.5, labelSmoothing: 0.1, classWeights: [2, 0.5]))
    }

    @Test func sigmoidInside() throws {
        try GradientCheck.run(
            [Dense(units: 11, activation: .sigmoid), Dense(units: 3, activation: .softmax)], Fixture.samples(3, [5]))
    }

    @Test func regression() throws {
        let samples = try Fixture.samples(5, [3], target: [7], classes: 5)
        for loss: any Loss in [
            MeanSquaredError(), MeanSquaredError(ignoring: 0), MeanAbsoluteError(), MeanAbsoluteError(ignoring: 2),
            Huber(delta: 0.5), Huber(delta: 2, ignoring: 1),
        ] {
            try GradientCheck.run([Dense(units: 7)], samples, loss: loss)
        }
        try GradientCheck.run(
            [Dense(units: 2, activation: .sigmoid)], try Fixture.samples(5, [3], target: [2]),
            loss: MeanSquaredError())
    }
}
