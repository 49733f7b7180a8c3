import Tensors
import Testing

@testable import Learning

@Suite struct AttentionTests {
    private func compare(_ probe: Probe, _ golden: GoldenFile, _ prefix: String, layer: Int) throws {
        for parameter in probe.runner.model.plan.parameters {
            probe.set(parameter.name, try golden.values("\(prefix).\(parameter.name)"))
        }
        let totals = try probe.train()
        #expect(abs(totals.meanLoss - Double(try golden.values("\(prefix).loss")[0])) < 1e-5)
        #expect(difference(probe.output(layer), try golden.values("\(prefix).output")) < 1e-5)
        for parameter in probe.runner.model.plan.parameters {
            let expected = try golden.values("\(prefix).gradient.\(parameter.name)")
            #expect(difference(probe.gradient(parameter.name), expected) < 1e-5, "\(parameter.name)")
        }
        let last = probe.runner.model.inputs.count - 1
        #expect(difference(probe.inputGradient(last), try golden.values("\(prefix).gradient.x")) < 1e-5)
    }

    private func node(_ name: String, _ layer: any Layer, _ inputs: Network.Source...) -> Network.Node {
        .init(name: name, layer: layer, inputs: inputs)
    }

    @Test func causalSelfAttentionIsPyTorchs() throws {
        let golden = try GoldenFile("attention")
        let samples = try Fixture.samples(
            inputs: [([7, 5], golden.values("self.x"))], count: 2, target: [7], targets: golden.values("self.targets"))
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("attention", MultiHeadAttention(heads: 2, keyDim: 3, isCausal: true), .input(0)),
                node("softmax", Activate(.softmax), .node(0)),
            ])
        try compare(Probe(network, samples, wantsInputGradient: true), golden, "self", layer: 0)
    }

    @Test func crossAttentionToPaddedTokensIsPyTorchs() throws {
        let golden = try GoldenFile("attention")
        let samples = try Fixture.samples(
            inputs: [([5], golden.values("cross.tokens")), ([3, 4], golden.values("cross.x"))], count: 2,
            target: [3], targets: golden.values("cross.targets"))
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("embedding", Embedding(inputDim: 7, outputDim: 6, maskZero: true), .input(0)),
                node("attention", MultiHeadAttention(heads: 2, keyDim: 3), .input(1), .node(0)),
                node("softmax", Activate(.softmax), .node(1)),
            ])
        try compare(Probe(network, samples, wantsInputGradient: true), golden, "cross", layer: 1)
    }

    @Test func layerNormalizationIsPyTorchs() throws {
        let golden = try GoldenFile("attention")
        let samples = try Fixture.samples(
            inputs: [([3, 11], golden.values("norm.x"))], count: 2, target: [3], targets: golden.values("norm.targets"))
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [node("norm", LayerNormalization(), .input(0)), node("softmax", Activate(.softmax), .node(0))])
        try compare(Probe(network, samples, wantsInputGradient: true), golden, "norm", layer: 0)
    }

    @Test(arguments: [
        (1, 1, 1, 1, false), (5, 5, 2, 3, true), (7, 7, 1, 17, true), (13, 13, 3, 8, true), (6, 6, 2, 16, false),
        (3, 19, 2, 5, false), (20, 4, 2, 33, false), (37, 37, 2, 7, true),
    ])
    func attentionIsItsReference(queries: Int, keys: Int, heads: Int, keyDim: Int, isCausal: Bool) throws {
        var generator = SplitMix64(seed: UInt64(queries * 100 + keys))
        let (rows, d) = (3, 5)
        func random(_ count: Int) -> [Float] { (0..<count).map { _ in generator.uniform(-2, 2) } }
        let layer = MultiHeadAttention(heads: heads, keyDim: keyDim, isCausal: isCausal)
        // The first sample has padding at its end, the second is padding alone, the third has it in front.
        let tokens = (0..<(rows * keys)).map { i -> Float in
            let (row, key) = (i / keys, i % keys)
            let isHidden = row == 0 ? key > keys / 2 : row == 1 || key < keys / 3
            return isHidden ? 0 : Float(1 + generator.below(10))
        }
        let isSelf = isCausal || queries == keys
        let samples = try Fixture.samples(
            inputs: [([keys], tokens)] + (isSelf ? [] : [([queries, d], random(rows * queries * d))]), count: rows,
            target: [queries], targets: (0..<(rows * queries)).map { _ in Float(generator.below(d)) })
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("embedding", Embedding(inputDim: 11, outputDim: 5, maskZero: true), .input(0)),
                .init(name: "attention", layer: layer, inputs: isSelf ? [.node(0)] : [.input(1), .node(0)]),
                node("softmax", Activate(.softmax), .node(1)),
            ])
        let probe = try Probe(network, samples)
        for parameter in probe.runner.model.plan.parameters { probe.set(parameter.name, random(parameter.count)) }
        try probe.evaluate()
        var weights: MultiHeadAttention.Weights = [:]
        for name in ["query", "key", "value", "output"].flatMap({ ["\($0)-kernel", "\($0)-bias"] }) {
            weights[name] = probe.weights("attention.\(name)").map(Double.init)
        }
        let embedded = probe.output(0).map(Double.init)
        let result = probe.output(1)
        func vectors(_ values: [Double], _ row: Int, _ count: Int) -> [[Double]] {
            (0..<count).map { i in Array(values[((row * count + i) * d)..<((row * count + i + 1) * d)]) }
        }
        let others = probe.values(probe.runner.model.inputs[isSelf ? 0 : 1].value, isSelf ? 0 : rows * queries * d)
        for row in 0..<rows {
            let z = vectors(embedded, row, keys)
            let expected = layer.reference(
                isSelf ? z : vectors(others.map(Double.init), row, queries), z,
                isVisible: (0..<keys).map { tokens[row * keys + $0] != 0 }, weights
            ).flatMap { $0.map { Float($0) } }
            let actual = Array(result[(row * queries * d)..<((row + 1) * queries * d)])
            #expect(difference(actual, expected) < 2e-3, "sample \(row)")
        }
    }

    @Test func gradientsOfSelfAttention() throws {
        for isCausal in [false, true] {
            try GradientCheck.run(
                [MultiHeadAttention(heads: 2, keyDim: 3, isCausal: isCausal), Dense(units: 3, activation: .softmax)],
                Fixture.samples(2, [7, 5], target: [7]))
        }
    }

    @Test func gradientsOfCrossAttentionWithPadding() throws {
        let tokens = try Fixture.tokens(3, steps: 5, limit: 6, classes: 3, padded: true)
        let network = try Network(
            inputShapes: tokens.inputs,
            nodes: [
                node("tokens", Embedding(inputDim: 6, outputDim: 4, maskZero: true, scale: 2), .input(0)),
                node("dense", Dense(units: 3), .node(0)),
                node("attention", MultiHeadAttention(heads: 1, keyDim: 5), .node(1), .node(0)),
                node("same", MultiHeadAttention(heads: 2, keyDim: 2, usesBias: false), .node(2), .node(2)),
                node("sum", Add(), .node(3), .node(1), .node(2)),
                node("last", Dense(units: 3, activation: .softmax), .node(4)),
            ])
        try GradientCheck.run(
            CompiledModel(
                network: network, loss: SparseCategoricalCrossentropy(), batchSize: 3, shards: 1), tokens)
    }

    @Test func aNumberThatIsNoneStaysNone() throws {
        let samples = try Fixture.samples(2, [7, 5], target: [7])
        for isCausal in [false, true] {
            let probe = try Probe([MultiHeadAttention(heads: 2, keyDim: 3, isCausal: isCausal)], samples)
            for name in ["query", "key", "value", "output"] {
                let parameter = "multi-head-attention-1.\(name)-kernel"
                let before = probe.weights(parameter)
                probe.set(parameter, [.nan])
                #expect(throws: LearningError.self) { try probe.evaluate() }
                #expect(probe.output(0).contains { $0.isNaN }, "\(name)")
                probe.set(parameter, before)
            }
            try probe.evaluate()
        }
    }

    @Test func gradientsOfASmallLanguageModel() throws {
        let samples = try Fixture.tokens(3, steps: 6, limit: 7, classes: 7)
        let network = try Network(
            inputShapes: samples.inputs,
            nodes: [
                node("tokens", Embedding(inputDim: 7, outputDim: 6, scale: 1.5), .input(0)),
                node("positions", PositionEmbedding(maxLength: 8), .node(0)),
                node("norm-1", LayerNormalization(), .node(1)),
                node("attention", MultiHeadAttention(heads: 2, keyDim: 3, isCausal: true), .node(2)),
                node("sum-1", Add(), .node(1), .node(3)),
                node("norm-2", LayerNormalization(), .node(4)),
                node("wide", Dense(units: 9, activation: .gelu), .node(5)),
                node("narrow", Dense(units: 6), .node(6)),
                node("sum-2", Add(), .node(4), .node(7)),
                node("logits", TiedDense(embedding: "tokens", activation: .softmax), .node(8)),
            ])
        let model = try CompiledModel(
            network: network, loss: SparseCategoricalCrossentropy(), batchSize: 3, shards: 1)
        try GradientCheck.run(model, samples)
    }
}
