import Tensors
import Testing

@testable import Learning

@Suite struct ActivationTests {
    @Test(arguments: Activation.allCases)
    func everyFunctionIsItsReference(_ function: Activation) throws {
        var generator = SplitMix64(seed: 3)
        for (rows, columns) in [(1, 1), (3, 5), (5, 8), (2, 17), (7, 33)] {
            let x = try FloatBuffer(count: rows * columns)
            let y = try FloatBuffer(count: rows * columns)
            for i in 0..<x.count { x.base[i] = generator.uniform(-6, 6) }
            let before = x.values
            for isInPlace in [false, true] {
                x.base.update(from: before, count: before.count)
                let output = isInPlace ? x : y
                function.apply(x.base, into: output.base, rows: rows, columns: columns)
                for row in 0..<rows {
                    let expected = function.reference(
                        (0..<columns).map { Double(before[row * columns + $0]) })
                    for j in 0..<columns {
                        #expect(abs(Double(output.base[row * columns + j]) - expected[j]) < 2e-6 * 6)
                    }
                }
            }
        }
    }

    @Test(arguments: Activation.allCases)
    func aNumberThatIsNoneStaysNone(_ function: Activation) throws {
        let x = try FloatBuffer(count: 19)
        for position in [0, 7, 18] {
            x.base.update(repeating: 0.5, count: 19)
            x.base[position] = .nan
            function.apply(x.base, rows: 1, columns: 19)
            #expect(x.base[position].isNaN)
        }
    }

    @Test(arguments: Activation.allCases)
    func gradients(_ function: Activation) throws {
        try GradientCheck.run(
            [
                Dense(units: 7, activation: function), Activate(function), Dense(units: 5),
                Dense(units: 3, activation: .softmax),
            ], Fixture.samples(5, [3]))
    }

    @Test func softmaxAfterDenseGoesIntoTheLoss() throws {
        let samples = try Fixture.samples(5, [4])
        let model = try Fixture.model(samples, [Dense(units: 3), Activate(.softmax)], batchSize: 5)
        #expect(model.outputActivation == .softmax)
        try GradientCheck.run([Dense(units: 3), Activate(.softmax)], samples)
    }

    @Test func predictionsAreProbabilities() throws {
        let samples = try Fixture.samples(5, [4])
        let runner = try StepRunner(
            model: Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 3), optimizer: Still(),
            pool: WorkerPool(workers: 1), seed: 2)
        let outputs = try FloatBuffer(count: 15)
        try Fixture.indices(samples).withUnsafeBufferPointer { try runner.predict(samples, $0, into: outputs.base) }
        for row in 0..<5 { #expect(abs((0..<3).reduce(0) { $0 + outputs.base[row * 3 + $1] } - 1) < 1e-5) }
    }
}
