import Tensors
import Testing

@testable import Learning

/// The gradients of every layer and loss against central differences of the loss.
@Suite struct GradientTests {
    /// `(f(x + h) - f(x - h)) / 2h` for every parameter and every input, with the model's own forward pass. The layers
    /// compute in single precision, so with `h = 1e-2` about three digits are to be had.
    private func check(_ model: CompiledModel, _ samples: Samples, seed: UInt64 = 11) throws {
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: seed)
        // Biases start at zero, where an error in their use would not be seen.
        var generator = SplitMix64(seed: seed)
        for i in 0..<runner.parameters.count { runner.parameters.base[i] += generator.uniform(-0.2, 0.2) }
        let indices = Fixture.indices(samples)
        func loss() throws -> Double {
            try indices.withUnsafeBufferPointer { try runner.evaluate(samples, $0).meanLoss }
        }
        func difference(_ pointer: FloatPointer, _ h: Float) throws -> Double {
            let kept = pointer.pointee
            pointer.pointee = kept + h
            let (above, high) = (try loss(), pointer.pointee)
            pointer.pointee = kept - h
            let (below, low) = (try loss(), pointer.pointee)
            pointer.pointee = kept
            return (above - below) / Double(high - low)
        }
        func compare(_ pointer: FloatPointer, _ gradient: Float, _ what: String) throws {
            let numeric = try difference(pointer, 1e-2)
            let error = abs(numeric - Double(gradient))
            if error < 1e-3 + 1e-2 * abs(numeric) { return }
            // A kink of a relu within the step shows as two differences that disagree; a wrong gradient does not.
            let closer = try difference(pointer, 2.5e-3)
            #expect(abs(closer - Double(gradient)) < 2e-3 + 1e-2 * abs(closer), "\(what): \(gradient), not \(closer)")
        }
        _ = try indices.withUnsafeBufferPointer { try runner.train(samples, $0) }
        let gradients = runner.gradients.values
        let inputGradient = model.input.gradient.map { slot in
            Array(
                UnsafeBufferPointer(
                    start: runner.arenas.base + model.plan.offsets[slot.index], count: samples.features.count))
        }
        #expect(gradients.contains { abs($0) > 1e-3 })
        for parameter in model.plan.parameters {
            for i in 0..<parameter.slot.count {
                let offset = parameter.slot.offset + i
                try compare(runner.parameters.base + offset, gradients[offset], "\(parameter.name)[\(i)]")
            }
        }
        if let inputGradient {
            for (i, gradient) in inputGradient.enumerated() {
                try compare(samples.features.base + i, gradient, "input[\(i)]")
            }
        }
    }

    private func check(_ layers: [any Layer], _ samples: Samples) throws {
        try check(
            Fixture.model(samples, layers, batchSize: samples.count, wantsInputGradient: true), samples)
    }

    @Test func softmaxCrossentropyAlone() throws {
        try check([Dense(units: 3, activation: .softmax)], Fixture.samples(5, [3]))
    }

    @Test func denseWithoutBias() throws {
        try check(
            [Dense(units: 5, usesBias: false), Dense(units: 3, activation: .softmax, usesBias: false)],
            Fixture.samples(3, [7]))
    }

    @Test func denseWithRelu() throws {
        try check(
            [
                Dense(units: 7, activation: .relu), Dense(units: 5, activation: .relu),
                Dense(units: 3, activation: .softmax),
            ],
            Fixture.samples(7, [5]))
    }

    @Test func reluAsALayer() throws {
        try check([ReLU(), Dense(units: 5), ReLU(), Dense(units: 3, activation: .softmax)], Fixture.samples(5, [3]))
    }

    @Test func flattenBeforeAndAfterDense() throws {
        try check(
            [Dense(units: 3, activation: .relu), Flatten(), Dense(units: 3, activation: .softmax)],
            Fixture.samples(3, [2, 5]))
    }

    @Test func denseOverTheLastAxisWithATargetForEachPosition() throws {
        try check(
            [Dense(units: 5, activation: .relu), Dense(units: 3, activation: .softmax)],
            Fixture.samples(3, [4, 3], target: [4]))
    }

    @Test func tensorsWithSeveralReadersSumTheirGradients() throws {
        let samples = try Fixture.samples(3, [5])
        // A residual block, a tensor read twice by one layer, and a flatten beside another reader.
        let network = try Network(
            inputShape: samples.shape,
            nodes: [
                .init(name: "first", layer: Dense(units: 5), inputs: [.data]),
                .init(name: "inner", layer: Dense(units: 5, activation: .relu), inputs: [.node(0)]),
                .init(name: "flat", layer: Flatten(), inputs: [.node(0)]),
                .init(name: "sum", layer: Sum(), inputs: [.node(0), .node(1), .node(2), .data]),
                .init(name: "relu", layer: ReLU(), inputs: [.node(3)]),
                .init(name: "twice", layer: Sum(), inputs: [.node(4), .node(4), .node(3)]),
                .init(name: "last", layer: Dense(units: 3, activation: .softmax), inputs: [.node(5)]),
            ])
        let model = try CompiledModel(
            network: network, loss: SparseCategoricalCrossentropy(), batchSize: 3, shards: 1, wantsInputGradient: true)
        try check(model, samples)
    }

    @Test func lossEqualsItsReference() throws {
        let samples = try Fixture.samples(5, [4])
        let dense = Dense(units: 3, activation: .softmax)
        let runner = try StepRunner(
            model: Fixture.model(samples, [dense], batchSize: 5), optimizer: Still(), pool: WorkerPool(workers: 1),
            seed: 2)
        let values = runner.parameters.values.map(Double.init)
        let (kernel, bias) = (runner.model.plan.parameters[0].slot, runner.model.plan.parameters[1].slot)
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
