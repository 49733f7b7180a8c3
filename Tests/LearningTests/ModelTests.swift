import Tensors
import Testing

@testable import Learning

@Suite struct ModelTests {
    @Test func shapesAndParametersAreCounted() throws {
        let samples = try Fixture.samples(1, [28, 28])
        let model = try Fixture.model(
            samples, [Flatten(), Dense(units: 256, activation: .relu), Dense(units: 10, activation: .softmax)],
            batchSize: 32, shards: 4)
        #expect(try model.network.shapes().map(\.description) == ["784", "256", "10"])
        #expect(model.plan.learntCount == 784 * 256 + 256 + 256 * 10 + 10)
        #expect(
            model.plan.parameters.map(\.name) == ["dense-2.kernel", "dense-2.bias", "dense-3.kernel", "dense-3.bias"])
        #expect(model.plan.rows == 8)
        for parameter in model.plan.parameters { #expect(parameter.offset % 16 == 0) }
    }

    @Test func theMemoryEstimateIsWhatIsAllocated() throws {
        let samples = try Fixture.samples(12, [5])
        let model = try Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 8, shards: 4)
        let runner = try StepRunner(model: model, optimizer: Adam(), pool: WorkerPool(workers: 1), seed: 0)
        let estimate = MemoryEstimate([model], optimizer: Adam(), keepsBest: true, data: 12 * 6 * 4)
        #expect(estimate.gradients == runner.gradients.count * 4)
        #expect(estimate.moments == runner.moments.count * 4)
        #expect(estimate.arenas == runner.arenas.count * 4)
        #expect(estimate.parameters == runner.parameters.count * 4 * 2)
        #expect(estimate.data == (samples.features.count + samples.targets.count) * 4)
    }

    @Test func slotsThatLiveTogetherNeverOverlap() {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<50 {
            var builder = MemoryPlan.Builder(rows: 3, nodes: 10)
            for _ in 0..<30 {
                let (a, b) = (generator.below(22), generator.below(22))
                _ = builder.slot(1 + generator.below(200), min(a, b), max(a, b))
            }
            let plan = builder.finish()
            let requests = builder.requests
            var sum = 0
            for (i, a) in requests.enumerated() {
                sum += a.count
                #expect(plan.offsets[i] % 16 == 0)
                #expect(plan.offsets[i] + a.count <= plan.arenaCount)
                for (j, b) in requests.enumerated() where i < j && a.first <= b.last && b.first <= a.last {
                    #expect(
                        plan.offsets[i] + a.count <= plan.offsets[j] || plan.offsets[j] + b.count <= plan.offsets[i])
                }
            }
            #expect(plan.arenaCount <= sum)
        }
    }

    @Test func gradientsShareMemory() throws {
        let samples = try Fixture.samples(1, [64])
        let deep = [any Layer](repeating: Dense(units: 64), count: 8) + [Dense(units: 3, activation: .softmax)]
        let model = try Fixture.model(samples, deep, batchSize: 16)
        // Eight outputs must be kept; of their gradients only two are alive at once.
        #expect(model.plan.arenaCount < 16 * 64 * 12)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let samples = try Fixture.samples(1, [4])
        func message(_ layers: [any Layer]) -> String {
            do {
                _ = try Fixture.model(samples, layers, batchSize: 2)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message([Dense(units: 3)]).contains("needs a last layer with activation = \"softmax\""))
        #expect(message([]).contains("at least one layer"))
        #expect(message([Dense(units: 0, activation: .softmax)]).contains("layer \"dense-1\""))
        #expect(message([Dense(units: 1 << 40), Dense(units: 1 << 30, activation: .softmax)]) != "")
    }

    @Test func graphsAreChecked() throws {
        let shape = try Shape([3])
        let dense = Dense(units: 3)
        func node(_ name: String, _ inputs: [Network.Source]) -> Network.Node {
            .init(name: name, layer: dense, inputs: inputs)
        }
        #expect(throws: LearningError.self) { try Network(inputShapes: [shape], nodes: [node("a", [.node(0)])]) }
        #expect(throws: LearningError.self) {
            try Network(inputShapes: [shape], nodes: [node("a", [.input(0)]), node("a", [.node(0)])])
        }
        // Nothing reads "a".
        #expect(throws: LearningError.self) {
            try Network(inputShapes: [shape], nodes: [node("a", [.input(0)]), node("b", [.input(0)])])
        }
    }

    @Test func labelsBeyondTheOutputsAreRefusedBeforeTheyAreUsed() throws {
        let samples = try Fixture.samples(6, [4])
        let model = try Fixture.model(samples, [Dense(units: 3, activation: .softmax)], batchSize: 2)
        for wrong: Float in [3, -1, 0.5, .nan, .infinity] {
            samples.targets.base[4] = wrong
            let runner = try StepRunner(model: model, optimizer: SGD(), pool: WorkerPool(workers: 1), seed: 0)
            let error = #expect(throws: LearningError.self) {
                _ = try Trainer(runner, .init(epochs: 1)).fit(
                    SampleSelection(all: samples), validation: nil, observer: Observer())
            }
            #expect(error?.message.contains("sample 4") == true)
        }
    }

    @Test func glorotIsInItsRange() throws {
        var generator = SplitMix64(seed: 4)
        let buffer = try FloatBuffer(count: 5000)
        Initializer.glorotUniform(fanIn: 100, fanOut: 50).fill(buffer.base, count: 5000, &generator)
        let limit: Float = 0.2
        #expect(buffer.values.allSatisfy { abs($0) <= limit })
        #expect(buffer.values.contains { $0 > 0.19 } && buffer.values.contains { $0 < -0.19 })
        #expect(abs(buffer.values.reduce(0, +) / 5000) < 0.01)
    }

    /// The matrices of dense layers, attention and convolutions start as their layers say.
    @Test func kernelsStartAsTheirLayersSay() throws {
        let layers: [(layer: any Layer, input: [Int])] = [
            (Dense(units: 6, kernelInitializer: .normal(0.02)), [4]),
            (MultiHeadAttention(heads: 2, keyDim: 3, kernelInitializer: .normal(0.02)), [5, 4]),
            (Conv1D(filters: 6, kernelSize: 3, kernelInitializer: .normal(0.02)), [5, 4]),
        ]
        for (layer, input) in layers {
            let kernels = try OneLayer(layer, input, rows: 1).plan.parameters.filter { $0.name.hasSuffix("kernel") }
            #expect(!kernels.isEmpty && kernels.allSatisfy { $0.initializer == .normal(0.02) }, "\(layer)")
        }
        // Three of a matrix from 4 to 3 x 6, and one of its own.
        let attention = try OneLayer(MultiHeadAttention(heads: 2, keyDim: 3), [5, 4], rows: 1).plan.parameters
        let parts = attention.filter { $0.initializer == .glorotUniform(fanIn: 4, fanOut: 18) }.map(\.name)
        #expect(parts == ["layer.query-kernel", "layer.key-kernel", "layer.value-kernel"])
        #expect(attention.contains { $0.initializer == .glorotUniform(fanIn: 6, fanOut: 4) })
        #expect(KernelInitializer.glorotUniform.initializer(fanIn: 4, fanOut: 6) == .glorotUniform(fanIn: 4, fanOut: 6))
        #expect(KernelInitializer.heNormal.initializer(fanIn: 4, fanOut: 6) == .heNormal(fanIn: 4))
    }
}
