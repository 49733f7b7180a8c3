import Tensors
import Testing

@testable import Learning

/// Recurrent layers against central differences, their references, PyTorch and Keras.
@Suite struct RecurrentTests {
    enum Kind: String, CaseIterable, Sendable {
        case simple = "simple-rnn"
        case lstm
        case gru

        func layer(_ units: Int, sequences: Bool, bidirectional: Bool) -> any RecurrentLayer {
            switch self {
            case .simple: SimpleRNN(units: units, returnsSequences: sequences, isBidirectional: bidirectional)
            case .lstm: LSTM(units: units, returnsSequences: sequences, isBidirectional: bidirectional)
            case .gru: GRU(units: units, returnsSequences: sequences, isBidirectional: bidirectional)
            }
        }
    }

    /// The layer between two dense ones, the first of which shows the gradient of a masked input.
    private func model(_ layer: any RecurrentLayer, _ samples: Samples, masked: Bool) throws -> CompiledModel {
        var nodes = [Network.Node(name: "before", layer: Dense(units: 3), inputs: [.input(0)])]
        if masked { nodes.append(.init(name: "mask", layer: WithMask(), inputs: [.node(0), .input(1)])) }
        nodes.append(.init(name: "layer", layer: layer, inputs: [.node(nodes.count - 1)]))
        nodes.append(
            .init(name: "dense", layer: Dense(units: 3, activation: .softmax), inputs: [.node(nodes.count - 1)]))
        return try CompiledModel(
            network: Network(inputShapes: samples.inputs, nodes: nodes), loss: SparseCategoricalCrossentropy(),
            batchSize: samples.count, shards: 1, wantsInputGradient: !masked)
    }

    @Test(arguments: Kind.allCases, [false, true])
    func gradients(_ kind: Kind, masked: Bool) throws {
        for sequences in [false, true] {
            for bidirectional in [false, true] {
                let layer = kind.layer(3, sequences: sequences, bidirectional: bidirectional)
                let samples = try Sequences.samples(
                    3, steps: 4, features: 2, masked: masked, target: sequences ? [4] : [])
                try GradientCheck.run(try model(layer, samples, masked: masked), samples)
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func gradientsOverSeveralChunksOfSteps(_ kind: Kind) throws {
        // 70 rows make chunks of two steps; 11 units, a whole vector and a rest.
        let samples = try Sequences.samples(70, steps: 3, features: 1, masked: true, target: [])
        let layer = kind.layer(11, sequences: false, bidirectional: true)
        let model = try model(layer, samples, masked: true)
        let (small, other) = (try Sequences.gradients(model, samples), try Sequences.gradientsOneByOne(model, samples))
        #expect(small.contains { abs($0) > 1e-3 })
        for i in small.indices { #expect(abs(small[i] - other[i]) < 1e-5) }
    }

    @Test func aLayerThatSharesItsInput() throws {
        let samples = try Sequences.samples(3, steps: 3, features: 2, masked: false, target: [])
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                .init(name: "before", layer: Dense(units: 3), inputs: [.input(0)]),
                .init(name: "first", layer: LSTM(units: 3, isBidirectional: true), inputs: [.node(0)]),
                .init(name: "second", layer: GRU(units: 6), inputs: [.node(0)]),
                .init(name: "sum", layer: Sum(), inputs: [.node(1), .node(2)]),
                .init(name: "dense", layer: Dense(units: 3, activation: .softmax), inputs: [.node(3)]),
            ])
        try GradientCheck.run(
            try CompiledModel(
                network: network, loss: SparseCategoricalCrossentropy(), batchSize: 3, shards: 1,
                wantsInputGradient: true), samples)
    }

    @Test(arguments: Kind.allCases)
    func equalsTheReference(_ kind: Kind) throws {
        var generator = SplitMix64(seed: 21)
        for round in 0..<12 {
            let (rows, steps, features) = (1 + generator.below(9), 1 + generator.below(7), 1 + generator.below(6))
            let units = 1 + generator.below(37)
            let masked = round % 2 == 1
            let layer = kind.layer(units, sequences: round % 4 < 2, bidirectional: round % 3 == 0)
            let samples = try Sequences.samples(
                rows, steps: steps, features: features, masked: masked, target: round % 4 < 2 ? [steps] : [],
                seed: UInt64(round))
            try expectReference(layer, samples, masked: masked)
        }
    }

    private func expectReference(_ layer: any RecurrentLayer, _ samples: Samples, masked: Bool) throws {
        let (steps, features) = (samples.inputs[0].dimensions[0], samples.inputs[0].dimensions[1])
        var nodes: [Network.Node] = []
        if masked { nodes.append(.init(name: "mask", layer: WithMask(), inputs: [.input(0), .input(1)])) }
        nodes.append(.init(name: "layer", layer: layer, inputs: [masked ? .node(0) : .input(0)]))
        nodes.append(
            .init(name: "dense", layer: Dense(units: 3, activation: .softmax), inputs: [.node(nodes.count - 1)]))
        let model = try CompiledModel(
            network: Network(inputShapes: samples.inputs, nodes: nodes), loss: SparseCategoricalCrossentropy(),
            batchSize: samples.count, shards: 1)
        let runner = try Sequences.runner(model)
        func values(_ name: String) -> [Double] {
            model.plan.parameters.filter { $0.name == name }.flatMap { parameter in
                (0..<parameter.count).map { Double(runner.parameters.base[parameter.offset + $0]) }
            }
        }
        let directions = (layer.isBidirectional ? ["layer.forward.", "layer.backward."] : ["layer."]).map {
            RecurrentWeights(
                kernel: values($0 + "kernel"), recurrentKernel: values($0 + "recurrent-kernel"),
                bias: values($0 + "bias"))
        }
        _ = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.evaluate(samples, $0) }
        let output = model.outputs[nodes.count - 2]
        let (outputs, width) = (
            runner.arenas.base + model.plan.offsets[output.value.index], output.shape.count
        )
        for row in 0..<samples.count {
            let from = samples.features.base + row * samples.width
            let x = (0..<steps).map { step in (0..<features).map { Double(from[step * features + $0]) } }
            let isReal = (0..<steps).map { !masked || from[steps * features + $0] != 0 }
            let expected = layer.reference(x, isReal: isReal, directions).flatMap { $0 }
            for i in 0..<width { #expect(abs(Double(outputs[row * width + i]) - expected[i]) < 1e-5) }
        }
    }

    @Test(arguments: Kind.allCases, ["-bidirectional", "-masked", "-bidirectional-masked"])
    func equalsPyTorchAndKeras(_ kind: Kind, _ variant: String) throws {
        let golden = try GoldenFile(kind.rawValue + variant)
        let shape = try golden.shape("input")
        let masked = variant.hasSuffix("masked")
        let samples = try Sequences.samples(
            shape[0], steps: shape[1], features: shape[2], masked: masked, target: [shape[1]])
        let (inputs, targets) = (try golden.values("input"), try golden.values("target"))
        let tokens = masked ? try golden.values("tokens") : []
        let size = shape[1] * shape[2]
        for row in 0..<shape[0] {
            let to = samples.features.base + row * samples.width
            for i in 0..<size { to[i] = inputs[row * size + i] }
            if masked { for i in 0..<shape[1] { to[size + i] = tokens[row * shape[1] + i] } }
        }
        for (i, target) in targets.enumerated() { samples.targets.base[i] = target }
        let layer = kind.layer(5, sequences: true, bidirectional: variant.hasPrefix("-bi"))
        var nodes: [Network.Node] = []
        if masked { nodes.append(.init(name: "mask", layer: WithMask(), inputs: [.input(0), .input(1)])) }
        nodes.append(.init(name: "layer", layer: layer, inputs: [masked ? .node(0) : .input(0)]))
        nodes.append(
            .init(name: "dense", layer: Dense(units: 3, activation: .softmax), inputs: [.node(nodes.count - 1)]))
        let model = try CompiledModel(
            network: Network(inputShapes: samples.inputs, nodes: nodes), loss: SparseCategoricalCrossentropy(),
            batchSize: samples.count, shards: 1, wantsInputGradient: true)
        let runner = try Sequences.runner(model)
        func name(_ parameter: Parameter) -> String {
            parameter.name.hasPrefix("layer.") ? String(parameter.name.dropFirst(6)) : parameter.name
        }
        for parameter in model.plan.parameters {
            let values = try golden.values(name(parameter))
            try #require(values.count == parameter.count)
            for (i, value) in values.enumerated() { runner.parameters.base[parameter.offset + i] = value }
        }
        let totals = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        #expect(abs(totals.meanLoss - Double(try golden.values("loss")[0])) < 1e-5)
        func expect(_ pointer: FloatPointer, _ expected: [Float], _ what: String) {
            for (i, value) in expected.enumerated() {
                #expect(abs(pointer[i] - value) < 1e-5, "\(what)[\(i)]: \(pointer[i]), not \(value)")
            }
        }
        for parameter in model.plan.parameters {
            expect(
                runner.gradients.base + parameter.offset, try golden.values(name(parameter) + ".gradient"),
                parameter.name)
        }
        func slot(_ slot: Slot) -> FloatPointer { runner.arenas.base + model.plan.offsets[slot.index] }
        expect(slot(model.outputs[nodes.count - 2].value), try golden.values("output"), "output")
        expect(slot(try #require(model.input.gradient)), try golden.values("input.gradient"), "input")
    }

    @Test(arguments: Kind.allCases)
    func paddingChangesNothing(_ kind: Kind) throws {
        // Three real steps, alone and between padding.
        let short = try Sequences.samples(5, steps: 3, features: 2, masked: true, target: [], seed: 3)
        let long = try Sequences.samples(5, steps: 8, features: 2, masked: true, target: [], seed: 4)
        for row in 0..<5 {
            let (from, to) = (short.features.base + row * short.width, long.features.base + row * long.width)
            for step in 0..<3 { from[6 + step] = 1 }
            for step in 0..<8 { to[16 + step] = 0 }
            for step in 0..<3 {
                // In front, behind, or amidst the real ones.
                let place = row == 0 ? 5 + step : row == 1 ? step : 1 + 2 * step
                to[16 + place] = 1
                for i in 0..<2 { to[2 * place + i] = from[2 * step + i] }
            }
            long.targets.base[row] = short.targets.base[row]
        }
        let layer = kind.layer(5, sequences: false, bidirectional: true)
        let first = try Sequences.gradients(try model(layer, short, masked: true), short)
        let second = try Sequences.gradients(try model(layer, long, masked: true), long)
        #expect(first.contains { abs($0) > 1e-3 })
        for i in first.indices { #expect(abs(first[i] - second[i]) < 1e-6) }
    }

    @Test func masksAreHandedOnWithSequencesOnly() throws {
        for sequences in [false, true] {
            let samples = try Sequences.samples(
                2, steps: 3, features: 2, masked: true, target: sequences ? [3] : [])
            let model = try model(GRU(units: 2, returnsSequences: sequences), samples, masked: true)
            #expect((model.outputs[2].mask == nil) == !sequences)
            #expect(model.outputs[2].shape.dimensions == (sequences ? [3, 2] : [2]))
        }
    }

    @Test func parametersAsKerasHasThem() throws {
        let samples = try Sequences.samples(2, steps: 3, features: 5, masked: false, target: [])
        let model = try Fixture.model(
            samples,
            [
                LSTM(units: 4, returnsSequences: true), GRU(units: 2, isBidirectional: true),
                Dense(units: 3, activation: .softmax),
            ], batchSize: 2)
        #expect(
            model.plan.parameters.prefix(9).map { "\($0.name) \($0.shape)" } == [
                "lstm-1.kernel 5x16", "lstm-1.recurrent-kernel 4x16", "lstm-1.bias 16",
                "gru-2.forward.kernel 4x6", "gru-2.forward.recurrent-kernel 2x6", "gru-2.forward.bias 2x6",
                "gru-2.backward.kernel 4x6", "gru-2.backward.recurrent-kernel 2x6", "gru-2.backward.bias 2x6",
            ])
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: 1)
        let bias = model.plan.parameters[2]
        let values = (0..<16).map { runner.parameters.base[bias.offset + $0] }
        #expect(values == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func aFlatInputIsRefused() throws {
        let samples = try Fixture.samples(2, [6])
        #expect(throws: LearningError.self) {
            try Fixture.model(samples, [LSTM(units: 4), Dense(units: 3, activation: .softmax)], batchSize: 2)
        }
    }

    @Test(arguments: Kind.allCases)
    func aNaNStaysOne(_ kind: Kind) throws {
        let samples = try Sequences.samples(3, steps: 3, features: 2, masked: false, target: [])
        samples.features.base[1] = .nan
        let model = try model(kind.layer(9, sequences: false, bidirectional: false), samples, masked: false)
        let runner = try Sequences.runner(model)
        #expect(throws: LearningError.self) {
            try Fixture.indices(samples).withUnsafeBufferPointer { try runner.evaluate(samples, $0) }
        }
    }
}

/// Samples of sequences, and their gradients.
private enum Sequences {
    /// Features, and with `masked` a second input: tokens, about a third of them padding.
    static func samples(
        _ count: Int, steps: Int, features: Int, masked: Bool, target: [Int], seed: UInt64 = 1
    ) throws -> Samples {
        let width = steps * features + (masked ? steps : 0)
        let plain = try Fixture.samples(count, [width], target: target, seed: seed)
        var inputs = [try Shape([steps, features])]
        if masked {
            inputs.append(try Shape([steps]))
            var generator = SplitMix64(seed: seed, stream: 2)
            for row in 0..<count {
                for step in 0..<steps {
                    plain.features.base[row * width + steps * features + step] = Float(generator.below(3))
                }
            }
        }
        return try Samples(
            count: count, inputs: inputs, features: plain.features, targetShape: plain.targetShape,
            targets: plain.targets)
    }

    /// Biases are not left at zero, where an error in their use would not be seen.
    static func runner(_ model: CompiledModel) throws -> StepRunner {
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: 7)
        for parameter in model.plan.parameters {
            var generator = SplitMix64(seed: UInt64(parameter.count))
            for i in 0..<parameter.count {
                runner.parameters.base[parameter.offset + i] += generator.uniform(-0.2, 0.2)
            }
        }
        return runner
    }

    static func gradients(_ model: CompiledModel, _ samples: Samples) throws -> [Float] {
        let runner = try runner(model)
        _ = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
        return runner.gradients.values
    }

    /// The mean of the samples' gradients, each computed alone.
    static func gradientsOneByOne(_ model: CompiledModel, _ samples: Samples) throws -> [Float] {
        let runner = try runner(model)
        var sum = [Double](repeating: 0, count: runner.gradients.count)
        for index in Fixture.indices(samples) {
            _ = try [index].withUnsafeBufferPointer { try runner.train(samples, $0) }
            for i in sum.indices { sum[i] += Double(runner.gradients.base[i]) }
        }
        return sum.map { Float($0 / Double(samples.count)) }
    }
}

/// Its first input with a mask from its second, the tokens: stands in for an embedding that masks padding.
private struct WithMask: Layer {
    static let kind = "with-mask"

    func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { inputs[0] }

    func bind(_ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder) throws(LearningError) -> BoundLayer {
        let input = inputs[0].tensor
        let mask = Mask(tokens: inputs[1].tensor.value, steps: input.shape.dimensions[0])
        return BoundLayer(output: input.masked(mask), step: Step())
    }

    struct Step: LayerStep {
        func forward(_ frame: Frame) {}
        func backward(_ frame: Frame) {}
    }
}
