import Tensors
import Testing

@testable import Learning

/// Losses and their gradients as PyTorch has them: `Benchmarks/golden/losses.py`.
@Suite struct LossGoldenTests {
    private func compare(_ name: String, _ loss: any Loss, targets: String, shape: [Int]) throws {
        let golden = try GoldenFile("losses")
        let samples = try LossTests.samples(
            [17], try golden.values("rows"), target: shape, try golden.values(targets))
        let (totals, gradients) = try LossTests.Bench(samples, loss).run()
        let expected = try golden.values(name + ".loss")[0]
        #expect(abs(Float(totals.meanLoss) - expected) < 2e-6 * max(expected, 1), "\(name)")
        for (a, b) in zip(gradients, try golden.values(name + ".gradient")) {
            #expect(abs(a - b) < 1e-6, "\(name)")
        }
    }

    @Test func asInPyTorch() throws {
        try compare("sparse", SparseCategoricalCrossentropy(), targets: "classes", shape: [])
        try compare(
            "smoothed", SparseCategoricalCrossentropy(ignoring: 0, labelSmoothing: 0.15), targets: "classes", shape: [])
        try compare("categorical", CategoricalCrossentropy(labelSmoothing: 0.1), targets: "soft", shape: [17])
        try compare("binary", BinaryCrossentropy(), targets: "hard", shape: [17])
        try compare("squared", MeanSquaredError(), targets: "values", shape: [17])
        try compare("absolute", MeanAbsoluteError(), targets: "values", shape: [17])
        try compare("huber", Huber(delta: 1.5), targets: "values", shape: [17])
    }
}
