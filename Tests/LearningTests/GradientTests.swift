import Tensors
import Testing

@testable import Learning

/// The gradients of every layer and loss against central differences of the loss.
@Suite struct GradientTests {
    @Test func softmaxCrossentropyAlone() throws {
        try GradientCheck.run([Dense(units: 3, activation: .softmax)], Fixture.samples(5, [3]))
    }

    @Test func denseWithoutBias() throws {
        try GradientCheck.run(
            [Dense(units: 5, usesBias: false), Dense(units: 3, activation: .softmax, usesBias: false)],
            Fixture.samples(3, [7]))
    }

    @Test func denseWithRelu() throws {
        try GradientCheck.run(
            [
                Dense(units: 7, activation: .relu), Dense(units: 5, activation: .relu),
                Dense(units: 3, activation: .softmax),
            ],
            Fixture.samples(7, [5]))
    }

    @Test func reluAsALayer() throws {
        try GradientCheck.run(
            [ReLU(), Dense(units: 5), ReLU(), Dense(units: 3, activation: .softmax)], Fixture.samples(5, [3]))
    }

    @Test func flattenBeforeAndAfterDense() throws {
        try GradientCheck.run(
            [Dense(units: 3, activation: .relu), Flatten(), Dense(units: 3, activation: .softmax)],
            Fixture.samples(3, [2, 5]))
    }

    @Test func denseOverTheLastAxisWithATargetForEachPosition() throws {
        try GradientCheck.run(
            [Dense(units: 5, activation: .relu), Dense(units: 3, activation: .softmax)],
            Fixture.samples(3, [4, 3], target: [4]))
    }

    @Test func tensorsWithSeveralReadersSumTheirGradients() throws {
        let samples = try Fixture.samples(3, [5])
        // A residual block, a tensor read twice by one layer, and a flatten beside another reader.
        let network = try Network(
            inputShapes: [samples.shape],
            nodes: [
                .init(name: "first", layer: Dense(units: 5), inputs: [.input(0)]),
                .init(name: "inner", layer: Dense(units: 5, activation: .relu), inputs: [.node(0)]),
                .init(name: "flat", layer: Flatten(), inputs: [.node(0)]),
                .init(name: "sum", layer: Sum(), inputs: [.node(0), .node(1), .node(2), .input(0)]),
                .init(name: "relu", layer: ReLU(), inputs: [.node(3)]),
                .init(name: "twice", layer: Sum(), inputs: [.node(4), .node(4), .node(3)]),
                .init(name: "last", layer: Dense(units: 3, activation: .softmax), inputs: [.node(5)]),
            ])
        let model = try CompiledModel(
            network: network, loss: SparseCategoricalCrossentropy(), batchSize: 3, shards: 1, wantsInputGradient: true)
        try GradientCheck.run(model, samples)
    }

    @Test func lossEqualsItsReference() throws {
        let samples = try Fixture.samples(5, [4])
        let dense = Dense(units: 3, activation: .softmax)
        let runner = try StepRunner(
            model: Fixture.model(samples, [dense], batchSize: 5), optimizer: Still(), pool: WorkerPool(workers: 1),
            seed: 2)
        let values = runner.parameters.values.map(Double.init)
        let (kernel, bias) = (runner.model.plan.parameters[0], runner.model.plan.parameters[1])
        var linear = dense
        linear.activation = .linear
        let expected = (0..<5).reduce(0.0) { sum, row in
            let x = (0..<4).map { Double(samples.features.base[row * 4 + $0]) }
            let logits = linear.reference(
                x, kernel: Array(values[kernel.offset..<(kernel.offset + kernel.count)]),
                bias: Array(values[bias.offset..<(bias.offset + bias.count)]))
            return sum
                + SparseCategoricalCrossentropy().reference(logits, target: Int(samples.targets.base[row])) / 5
        }
        let totals = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.evaluate(samples, $0) }
        #expect(abs(totals.meanLoss - expected) < 1e-6)
    }
}
