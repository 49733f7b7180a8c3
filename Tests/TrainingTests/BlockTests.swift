import ConfigFile
import Learning
import Tensors
import Testing

@testable import Training

/// Blocks, presets and the wiring of layers by name.
@Suite struct BlockTests {
    private func network(_ model: String, _ inputs: [[Int]]) throws -> Network {
        let collector = ConfigReader.Collector()
        var plan = TrainingPlan(file: "job.toml")
        plan.readModel(
            ConfigReader(
                try TOMLParser.parse(model, file: "job.toml"), name: "model", file: "job.toml", collector: collector))
        try collector.check()
        return try NetworkWiring(plan.layers, inputNames: [])
            .network(inputShapes: try inputs.map { try Shape($0) })
    }

    private func problems(_ model: String) throws -> [String] {
        do {
            _ = try network(model, [[8]])
            return []
        } catch let problems as ConfigProblems { return problems.problems.map(\.description) }
    }

    /// Parameters counted by hand from the papers' tables.
    @Test(arguments: [("resnet-8", 78_042), ("resnet-20", 272_474)])
    func residualNetworksHaveTheKnownSize(preset: String, parameters: Int) throws {
        let network = try network("preset = \"\(preset)\"", [[32, 32, 3]])
        let model = try CompiledModel(
            network: network, loss: SparseCategoricalCrossentropy(), batchSize: 2, shards: 1)
        // 1x1 convolutions where the stages change: 16x32 + 32x64 weights and their normalisations, in both.
        #expect(model.plan.learntCount == parameters)
        #expect(try network.shapes().last?.dimensions == [10])
    }

    @Test func everyWorkloadTakesAStep() throws {
        for workload in Workload.all where ["sentiment-80", "wavenet", "encoder-decoder"].contains(workload.name) {
            let network = try workload.network()
            _ = try CompiledModel(network: network, loss: workload.loss, batchSize: 2, shards: 1)
        }
        #expect(Workload.all.count == 12)
    }

    /// A row of the benchmark compares one model: these are the parameters of the peers' (`Benchmarks/peers/models.py`),
    /// counted by PyTorch, whose LSTM and plain RNN have a second bias for each unit and gate, and whose WaveNet has a
    /// residual convolution in the last block too, where nothing reads it.
    @Test(arguments: [
        ("sentiment", 378_433 - 2 * 256), ("sentiment-80", 378_433 - 2 * 256), ("simple-rnn", 326_337 - 64),
        ("gru", 338_881), ("mlp", 669_706), ("cnn", 1_199_882), ("resnet-8", 78_042), ("resnet-20", 272_474),
        ("gpt", 8_312_320), ("encoder-decoder", 9_855_808), ("wavenet", 72_288 - 32 * 33), ("conv-1d", 18_849),
    ])
    func workloadsAreThePeersModels(name: String, parameters: Int) throws {
        let workload = try #require(Workload.all.first { $0.name == name })
        let model = try CompiledModel(network: try workload.network(), loss: workload.loss, batchSize: 2, shards: 1)
        #expect(model.plan.learntCount == parameters)
    }

    @Test func blocksSayWhatIsWrongWithThem() throws {
        #expect(
            try problems("[[layer]]\ntype = \"wavenet\"\nfilters = 4\ndilations = []") == [
                "job.toml:4: \"dilations\" is empty; for example dilations = [1, 2, 4, 8]"
            ])
        let heads = "[[layer]]\ntype = \"gpt-block\"\nnum-heads = 0\nd-model = 8\nunits = 8"
        #expect(try problems(heads) == ["job.toml:3: \"model.layer.num-heads\" is 0; it must be from 1 to 1000000"])
    }

    @Test func layersReadWhatTheyName() throws {
        let network = try network(
            """
            [[layer]]
            name = "a"
            type = "dense"
            units = 8
            [[layer]]
            name = "b"
            type = "dense"
            units = 8
            input = "input"
            [[layer]]
            type = "add"
            inputs = ["a", "b", "input-1"]
            """, [[8]])
        #expect(network.nodes[1].inputs == [.input(0)])
        #expect(network.nodes[2].inputs == [.node(0), .node(1), .input(0)])
    }

    @Test func aBlockIsReadByItsOwnName() throws {
        let network = try network(
            """
            [[layer]]
            name = "block"
            type = "gpt-block"
            num-heads = 2
            d-model = 8
            units = 16
            [[layer]]
            type = "add"
            inputs = ["block", "input"]
            """, [[5, 8]])
        #expect(network.nodes.map(\.name).contains("block.attention"))
        #expect(network.nodes.last?.inputs == [.node(network.nodes.count - 2), .input(0)])
        #expect(try network.shapes().last?.dimensions == [5, 8])
    }

    @Test func mistakesAreNamed() throws {
        #expect(try problems("preset = \"resnet-21\"").first?.contains("did you mean \"resnet-20\"?") == true)
        #expect(
            try problems("[[layer]]\ntype = \"gpt-block\"\nnum-heads = 3\nd-model = 8\nunits = 4").first?
                .contains("must be a multiple") == true)
        #expect(throws: LearningError.self) {
            _ = try network("[[layer]]\ntype = \"dense\"\nunits = 3\ninput = \"nowhere\"", [[8]])
        }
    }
}
