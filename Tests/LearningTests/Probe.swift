import Tensors

@testable import Learning

/// A compiled model whose tensors can be looked at after a step, one shard, whose parameters do not change.
struct Probe {
    let runner: StepRunner
    let samples: Samples

    init(
        _ network: Network, _ samples: Samples, loss: any Loss = SparseCategoricalCrossentropy(),
        wantsInputGradient: Bool = false
    ) throws {
        self.samples = samples
        runner = try StepRunner(
            model: CompiledModel(
                network: network, loss: loss, batchSize: samples.count, shards: 1,
                wantsInputGradient: wantsInputGradient),
            optimizer: Still(), pool: WorkerPool(workers: 1), seed: 4)
    }

    /// A chain of layers, whose output becomes the logits of a softmax.
    init(_ layers: [any Layer], _ samples: Samples, wantsInputGradient: Bool = false) throws {
        try self.init(
            .sequential(inputShape: samples.shape, (layers + [Activate(.softmax)]).map { (nil, $0) }), samples,
            wantsInputGradient: wantsInputGradient)
    }

    @discardableResult
    func evaluate() throws -> Totals {
        try Fixture.indices(samples).withUnsafeBufferPointer { try runner.evaluate(samples, $0) }
    }

    @discardableResult
    func train() throws -> Totals {
        try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
    }

    func values(_ slot: Slot, _ count: Int) -> [Float] {
        let from = runner.arenas.base + runner.model.plan.offsets[slot.index]
        return Array(UnsafeBufferPointer(start: from, count: count))
    }

    /// What a layer has given, in this place of the model.
    func output(_ index: Int) -> [Float] {
        let output = runner.model.outputs[index]
        return values(output.value, samples.count * output.shape.count)
    }

    /// The gradient of an input. Needs a model that wants it.
    func inputGradient(_ index: Int) -> [Float] {
        let input = runner.model.inputs[index]
        return input.gradient.map { values($0, samples.count * input.shape.count) } ?? []
    }

    func parameter(_ name: String) -> Parameter? { runner.model.plan.parameters.first { $0.name == name } }

    func weights(_ name: String) -> [Float] { part(runner.parameters, name) }
    func gradient(_ name: String) -> [Float] { part(runner.gradients, name) }

    func set(_ name: String, _ values: [Float]) {
        guard let parameter = parameter(name) else { return }
        for (i, value) in values.prefix(parameter.count).enumerated() {
            runner.parameters.base[parameter.offset + i] = value
        }
    }

    private func part(_ buffer: FloatBuffer, _ name: String) -> [Float] {
        guard let parameter = parameter(name) else { return [] }
        return Array(UnsafeBufferPointer(start: buffer.base + parameter.offset, count: parameter.count))
    }
}

extension Fixture {
    /// Samples with several inputs, from rows of values.
    static func samples(
        inputs: [(shape: [Int], values: [Float])], count: Int, target: [Int], targets: [Float]
    ) throws -> Samples {
        let shapes = try inputs.map { try Shape($0.shape) }
        let features = try FloatBuffer(count: inputs.reduce(0) { $0 + $1.values.count })
        let buffer = try FloatBuffer(count: targets.count)
        var to = features.base
        for row in 0..<count {
            for (shape, input) in zip(shapes, inputs) {
                for i in 0..<shape.count { to[i] = input.values[row * shape.count + i] }
                to += shape.count
            }
        }
        for (i, target) in targets.enumerated() { buffer.base[i] = target }
        return try Samples(
            count: count, inputs: shapes, features: features, targetShape: Shape(target), targets: buffer)
    }

    /// Tokens from 0 (padding) to `limit - 1`, and a class for each position.
    static func tokens(
        _ count: Int, steps: Int, limit: Int, classes: Int, padded: Bool = false, seed: UInt64 = 8
    ) throws -> Samples {
        var generator = SplitMix64(seed: seed)
        var tokens: [Float] = []
        for row in 0..<count {
            for step in 0..<steps {
                tokens.append(padded && step >= steps - row % steps ? 0 : Float(1 + generator.below(limit - 1)))
            }
        }
        return try samples(
            inputs: [([steps], tokens)], count: count, target: [steps],
            targets: tokens.map { _ in Float(generator.below(classes)) })
    }
}

/// The largest difference, or infinity where one is not a number or the counts differ.
func difference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { sum, pair in
        let d = abs(pair.0 - pair.1)
        return d.isFinite ? max(sum, d) : .infinity
    }
}
