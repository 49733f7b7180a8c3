import Tensors
import Testing

@testable import Learning

@Suite struct JoiningTests {
    private func node(_ name: String, _ layer: any Layer, _ inputs: Network.Source...) -> Network.Node {
        .init(name: name, layer: layer, inputs: inputs)
    }

    private func check(_ nodes: [Network.Node], _ dimensions: [Int], target: [Int] = []) throws {
        let samples = try Fixture.samples(3, dimensions, target: target)
        let model = try CompiledModel(
            network: Network(inputShapes: samples.inputs, nodes: nodes), loss: SparseCategoricalCrossentropy(),
            batchSize: 3, shards: 1, wantsInputGradient: true)
        try GradientCheck.run(model, samples)
    }

    @Test func gradientsOfSumsAndProducts() throws {
        try check(
            [
                node("a", Dense(units: 5), .input(0)), node("b", Dense(units: 5, activation: .tanh), .input(0)),
                node("sum", Add(), .node(0), .node(1), .node(0), .input(0)),
                node("product", Multiply(), .node(2), .node(1)),
                node("three", Multiply(), .node(3), .node(0), .input(0)),
                node("square", Multiply(), .node(3), .node(3)), node("all", Add(), .node(4), .node(5)),
                node("last", Dense(units: 3, activation: .softmax), .node(6)),
            ], [5])
    }

    @Test func gradientsOfRectifiedSums() throws {
        try check(
            [
                node("a", Dense(units: 5), .input(0)), node("b", Dense(units: 5, activation: .tanh), .input(0)),
                node("sum", Add(activation: .relu), .node(0), .node(1)),
                node("all", Add(activation: .relu), .node(0), .node(2), .node(1), .input(0)),
                node("last", Dense(units: 3, activation: .softmax), .node(3)),
            ], [5])
    }

    @Test func aRectifiedSumKeepsNaN() throws {
        let samples = try Fixture.samples(2, [5])
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("sum", Add(activation: .relu), .input(0), .input(0)),
                node("last", Dense(units: 3, activation: .softmax), .node(0)),
            ])
        let model = try CompiledModel(
            network: network, loss: SparseCategoricalCrossentropy(), batchSize: 2, shards: 1)
        let runner = try StepRunner(model: model, optimizer: SGD(), pool: WorkerPool(workers: 1), seed: 1)
        samples.features.base[3] = .nan
        let error = #expect(throws: LearningError.self) {
            try [Int32](0..<2).withUnsafeBufferPointer { _ = try runner.train(samples, $0) }
        }
        #expect(error?.code == .diverged)
    }

    @Test func gradientsOfPartsSideBySide() throws {
        try check(
            [
                node("a", Dense(units: 5), .input(0)), node("b", Dense(units: 9), .input(0)),
                node("joined", Concatenate(), .node(0), .node(1), .input(0), .node(0)),
                node("part", Slice(start: 3, size: 11), .node(2)), node("other", Slice(start: 0, size: 11), .node(2)),
                node("sum", Add(), .node(3), .node(4)), node("last", Dense(units: 3, activation: .softmax), .node(5)),
            ], [2, 3], target: [2])
    }

    @Test func gradientsOfReshapesAndGates() throws {
        try check(
            [
                node("wide", Dense(units: 18), .input(0)), node("gate", Gate(), .node(0)),
                node("other", Gate(), .node(0)), node("flat", Reshape([27]), .node(1)),
                node("back", Reshape([3, 9]), .node(3)), node("beside", Reshape([3, 9]), .node(1)),
                node("sum", Add(), .node(4), .node(5), .node(2), .node(1)),
                node("last", Dense(units: 3, activation: .softmax), .node(6)),
            ], [3, 4], target: [3])
    }

    @Test func gradientsOfNormsAndPositions() throws {
        try check(
            [
                node("dense", Dense(units: 7), .input(0)), node("norm", LayerNormalization(), .node(0)),
                node("waves", PositionalEncoding(), .node(1)), node("other", PositionalEncoding(), .node(0)),
                node("learnt", PositionEmbedding(maxLength: 5), .node(3)),
                node("both", Add(), .node(2), .node(4), .node(0)), node("again", LayerNormalization(), .node(5)),
                node("last", Dense(units: 3, activation: .softmax), .node(6)),
            ], [3, 5], target: [3])
    }

    @Test func joinedTensorsAreTheirDefinition() throws {
        let samples = try Fixture.samples(3, [2, 18], target: [2], classes: 2)
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("a", Slice(start: 1, size: 10), .input(0)), node("b", Slice(start: 8, size: 10), .input(0)),
                node("sum", Add(), .node(0), .node(1), .node(0)),
                node("product", Multiply(), .node(0), .node(1), .node(1)),
                node("joined", Concatenate(), .node(2), .node(3)), node("gate", Gate(), .node(4)),
                node("last", Activate(.softmax), .node(5)),
            ])
        let probe = try Probe(network, samples)
        try probe.evaluate()
        let x = samples.features.values
        for row in 0..<6 {
            let a = (0..<10).map { x[row * 18 + 1 + $0] }
            let b = (0..<10).map { x[row * 18 + 8 + $0] }
            let sum: [Float] = zip(a, b).map { $0 + $1 + $0 }
            let product: [Float] = zip(a, b).map { $0 * $1 * $1 }
            let joined = sum + product
            #expect(difference(Array(probe.output(4)[(row * 20)..<(row * 20 + 20)]), joined) < 1e-5)
            let gated = Gate().reference(joined.map(Double.init)).map { Float($0) }
            #expect(difference(Array(probe.output(5)[(row * 10)..<(row * 10 + 10)]), gated) < 1e-5)
        }
    }

    @Test func positionsHaveWavesOfTheirOwn() throws {
        let samples = try Fixture.samples(2, [7, 5], target: [7])
        let probe = try Probe([PositionalEncoding()], samples)
        try probe.evaluate()
        let expected = (0..<70).map { (i: Int) -> Float in
            let waves = PositionalEncoding().reference(i / 5 % 7, width: 5)
            return samples.features.base[i] + Float(waves[i % 5])
        }
        #expect(difference(probe.output(0), expected) < 1e-6)
        #expect(PositionalEncoding().reference(0, width: 4) == [0, 1, 0, 1])
    }

    @Test func normIsItsReference() throws {
        for width in [1, 7, 8, 17, 40] {
            let samples = try Fixture.samples(3, [2, width], target: [2], classes: 1)
            let probe = try Probe([LayerNormalization(epsilon: 1e-5)], samples)
            try probe.evaluate()
            for row in 0..<6 {
                let x = (0..<width).map { Double(samples.features.base[row * width + $0]) }
                let expected = LayerNormalization(epsilon: 1e-5).reference(
                    x, gamma: x.map { _ in 1 }, beta: x.map { _ in 0 })
                let actual = Array(probe.output(0)[(row * width)..<((row + 1) * width)])
                #expect(difference(actual, expected.map { Float($0) }) < 1e-4)
            }
        }
    }

    @Test func aNumberThatIsNoneStaysNone() throws {
        let layers: [any Layer] = [
            LayerNormalization(), Gate(), Slice(start: 0, size: 18), Dropout(rate: 0.5), PositionalEncoding(),
            PositionEmbedding(maxLength: 4), Reshape([36]),
        ]
        for layer in layers {
            let samples = try Fixture.samples(2, [2, 18], target: layer is Reshape ? [] : [2])
            samples.features.base[17] = .nan
            samples.features.base[8] = .nan
            let probe = try Probe([layer], samples)
            #expect(throws: LearningError.self) { try probe.train() }
            #expect(probe.output(0).contains { $0.isNaN }, "\(layer.kind)")
        }
    }

    @Test func dropoutDropsItsPartAndKeepsTheMean() throws {
        for rate in [0, 0.1, 0.5, 0.9] {
            let samples = try Fixture.samples(10, [1003], classes: 3)
            for i in 0..<samples.features.count { samples.features.base[i] = 1 }
            let probe = try Probe([Dropout(rate: rate)], samples, wantsInputGradient: true)
            try probe.evaluate()
            #expect(probe.output(0).allSatisfy { $0 == 1 })
            try probe.train()
            let y = probe.output(0)
            let dropped = y.filter { $0 == 0 }.count
            #expect(abs(Double(dropped) / 10030 - rate) < 0.02)
            #expect(abs(y.reduce(0, +) / 10030 - 1) < 0.08)
            #expect(y.allSatisfy { $0 == 0 || abs(Double($0) * (1 - rate) - 1) < 1e-3 })
            // Backward lets through what forward did.
            let dx = probe.inputGradient(0)
            #expect(zip(y, dx).allSatisfy { ($0 == 0) == ($1 == 0) })
            try probe.train()
            #expect(rate == 0 || probe.output(0) != y)
        }
    }

    @Test func tokensAreLookedUp() throws {
        let samples = try Fixture.tokens(3, steps: 5, limit: 7, classes: 3, padded: true)
        let probe = try Probe([Embedding(inputDim: 7, outputDim: 3, maskZero: true, scale: 3)], samples)
        try probe.evaluate()
        let matrix = probe.weights("embedding-1.embeddings")
        let expected = samples.features.values.flatMap { token -> [Float] in
            let from = Int(token) * 3
            return matrix[from..<(from + 3)].map { $0 * 3 }
        }
        #expect(difference(probe.output(0), expected) < 1e-6)
        #expect(probe.runner.model.outputs[0].mask?.steps == 5)
        #expect(probe.runner.model.outputs[1].mask == probe.runner.model.outputs[0].mask)
    }

    @Test(arguments: [-1, 7, 0.5, .nan, .infinity] as [Float])
    func unknownTokensAreNamed(token: Float) throws {
        let samples = try Fixture.tokens(3, steps: 5, limit: 7, classes: 3)
        samples.features.base[11] = token
        let probe = try Probe([Embedding(inputDim: 7, outputDim: 3)], samples)
        let error = #expect(throws: LearningError.self) { try probe.train() }
        #expect(error?.code == .data)
        #expect(error?.message.contains("the token \(token);") == true)
    }

    @Test func gradientsOfEmbeddings() throws {
        try GradientCheck.run(
            [Embedding(inputDim: 7, outputDim: 5, scale: 2), Dense(units: 3, activation: .softmax)],
            Fixture.tokens(3, steps: 5, limit: 7, classes: 3), inputs: false)
    }

    @Test func masksAreHandedOn() throws {
        let samples = try Fixture.tokens(3, steps: 5, limit: 7, classes: 3)
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("tokens", Embedding(inputDim: 7, outputDim: 6, maskZero: true), .input(0)),
                node("plain", Embedding(inputDim: 7, outputDim: 6), .input(0)),
                node("waves", PositionalEncoding(), .node(0)),
                node("learnt", PositionEmbedding(maxLength: 5), .node(2)),
                node("norm", LayerNormalization(), .node(3)), node("drop", Dropout(rate: 0.1), .node(4)),
                node("sum", Add(), .node(1), .node(5)), node("product", Multiply(), .node(1), .node(6)),
                node("joined", Concatenate(), .node(1), .node(7)), node("gate", Gate(), .node(8)),
                node("part", Slice(start: 0, size: 4), .node(9)), node("parts", Reshape([5, 2, 2]), .node(10)),
                node("back", Reshape([5, 4]), .node(11)),
                node("attention", MultiHeadAttention(heads: 1, keyDim: 2), .node(12)),
                node("relu", Activate(.relu), .node(13)), node("flat", Reshape([20]), .node(14)),
                node("last", Dense(units: 3, activation: .softmax), .node(15)),
            ])
        let model = try CompiledModel(
            network: network, loss: SparseCategoricalCrossentropy(), batchSize: 3, shards: 1)
        for (node, output) in zip(network.nodes, model.outputs) {
            #expect((output.mask != nil) == !["plain", "flat", "last"].contains(node.name), "\(node.name)")
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let shape = try Shape([3, 4])
        let other = try Shape([3, 5])
        func message(_ layer: any Layer, _ shapes: Shape...) -> String {
            do {
                _ = try layer.outputShape(shapes)
                return ""
            } catch { return error.message }
        }
        #expect(message(Add(), shape, other).contains("inputs of one shape, not 3x4 and 3x5"))
        #expect(message(Multiply(), shape).contains("at least two inputs"))
        #expect(message(Concatenate(), shape, try Shape([2, 4])).contains("last axis alone"))
        #expect(message(Reshape([5]), shape).contains("has 12 values, 5 would need 5"))
        #expect(message(Slice(start: 2, size: 3), shape).contains("no 3 values from 2"))
        #expect(message(Gate(), other).contains("even size"))
        #expect(message(MultiHeadAttention(heads: 1, keyDim: 2, isCausal: true), shape, other).contains("one input"))
        #expect(message(PositionEmbedding(maxLength: 2), shape).contains("longer than max-length = 2"))
        #expect(message(Dropout(rate: 1), shape).contains("below 1"))
        #expect(message(Embedding(inputDim: 3, outputDim: 2, maskZero: true), shape).contains("sequence of tokens"))
        let error = #expect(throws: LearningError.self) {
            try Network(inputShapes: [shape], nodes: [node("last", TiedDense(embedding: "words"), .input(0))])
        }
        #expect(error?.message.contains("an embedding layer before it called \"words\"") == true)
    }
}
