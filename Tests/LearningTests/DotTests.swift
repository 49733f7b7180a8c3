import Tensors
import Testing

@testable import Learning

@Suite struct DotTests {
    /// Two affine views of one input and the input itself, so that gradients are written and added to; widths around
    /// those of vectors.
    private func network(_ samples: Samples, width: Int) throws -> Network {
        try Network(
            inputShapes: [samples.shape],
            nodes: [
                .init(name: "a", layer: Dense(units: width), inputs: [.input(0)]),
                .init(name: "b", layer: Dense(units: width, activation: .tanh), inputs: [.input(0)]),
                .init(name: "ab", layer: Dot(), inputs: [.node(0), .node(1)]),
                .init(name: "aa", layer: Dot(), inputs: [.node(0), .node(0)]),
                .init(name: "sum", layer: Add(), inputs: [.node(2), .node(3)]),
            ])
    }

    @Test(arguments: [1, 5, 8, 17]) func gradientsAreThoseOfDifferences(width: Int) throws {
        let samples = try Fixture.samples(3, [4])
        let model = try CompiledModel(
            network: network(samples, width: width), loss: MeanSquaredError(), batchSize: 3, shards: 1,
            wantsInputGradient: true)
        try GradientCheck.run(model, samples)
    }

    @Test(arguments: [1, 7, 16, 33]) func productsEqualTheReference(width: Int) throws {
        let samples = try Fixture.samples(5, [width])
        let network = try Network(
            inputShapes: [samples.shape],
            nodes: [
                .init(name: "x", layer: Dense(units: width), inputs: [.input(0)]),
                .init(name: "dot", layer: Dot(), inputs: [.node(0), .input(0)]),
            ])
        let model = try CompiledModel(network: network, loss: MeanSquaredError(), batchSize: 5, shards: 1)
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: 3)
        let outputs = try FloatBuffer(count: 5)
        try Fixture.indices(samples).withUnsafeBufferPointer { try runner.predict(samples, $0, into: outputs.base) }
        let weights = runner.parameters.values.map(Double.init)
        let (kernel, bias) = (model.plan.parameters[0], model.plan.parameters[1])
        for row in 0..<5 {
            let x = (0..<width).map { Double(samples.features.base[row * width + $0]) }
            let y = Dense(units: width).reference(
                x, kernel: Array(weights[kernel.offset..<(kernel.offset + kernel.count)]),
                bias: Array(weights[bias.offset..<(bias.offset + bias.count)]))
            #expect(abs(Double(outputs.base[row]) - Dot().reference(y, x)) < 1e-4)
        }
    }

    @Test func shapesMustBeEqual() throws {
        #expect(throws: LearningError.self) { _ = try Dot().outputShape([try Shape([3]), try Shape([4])]) }
        #expect(throws: LearningError.self) { _ = try Dot().outputShape([try Shape([3])]) }
        #expect(try Dot().outputShape([try Shape([2, 3]), try Shape([2, 3])]).dimensions == [2, 1])
    }
}
