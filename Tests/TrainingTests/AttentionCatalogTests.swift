import ConfigFile
import Learning
import Testing

@testable import Training

/// Layers of attention and those that join or reshape tensors, read from job files: options and mistakes.
@Suite struct AttentionCatalogTests {
    /// The layers begin at line 7.
    private func job(_ layers: String) -> String {
        """
        [train]
        epochs = 1
        [data]
        reader = "idx"
        path = "/nowhere"
        validation-split = 0.2
        \(layers)
        """
    }

    private func layers(_ text: String) throws(ConfigProblems) -> [any Layer] {
        try TrainingPlan.parse(try JobFile.parse(job(text)), file: "job.toml").layers.entries.map(\.layer)
    }

    /// Of one layer, whose type is at line 8 and whose options begin at line 9.
    private func mistakes(_ type: String, _ options: String) -> [String] {
        problems { () throws(ConfigProblems) in _ = try layers("[[model.layer]]\ntype = \"\(type)\"\n" + options) }
    }

    // MARK: - Options

    @Test func defaultsAreKeras() throws {
        let layers = try layers(
            """
            [[model.layer]]
            name = "words"
            type = "embedding"
            input-dim = 100
            output-dim = 8
            [[model.layer]]
            type = "positional-encoding"
            [[model.layer]]
            type = "position-embedding"
            max-length = 20
            [[model.layer]]
            type = "multi-head-attention"
            num-heads = 2
            key-dim = 4
            [[model.layer]]
            type = "layer-normalization"
            [[model.layer]]
            type = "slice"
            size = 6
            [[model.layer]]
            type = "gated"
            [[model.layer]]
            type = "tied-dense"
            embedding = "words"
            """)
        try #require(layers.count == 8)
        let embedding = try #require(layers[0] as? Embedding)
        #expect(embedding.inputDim == 100 && embedding.outputDim == 8 && !embedding.maskZero && embedding.scale == 1)
        #expect(embedding.initializer == .uniform(0.05))
        #expect(layers[1] is PositionalEncoding)
        #expect((layers[2] as? PositionEmbedding)?.maxLength == 20)
        let attention = try #require(layers[3] as? MultiHeadAttention)
        #expect(attention.heads == 2 && attention.keyDim == 4 && !attention.isCausal && attention.usesBias)
        #expect((layers[4] as? LayerNormalization)?.epsilon == 1e-3)
        let slice = try #require(layers[5] as? Slice)
        #expect(slice.start == 0 && slice.size == 6)
        #expect(layers[6] is Gate)
        let tied = try #require(layers[7] as? TiedDense)
        #expect(tied.embedding == "words" && tied.activation == .linear && tied.usesBias)
    }

    @Test func readsEveryOption() throws {
        let layers = try layers(
            """
            [[model.layer]]
            type = "embedding"
            input-dim = 10_000_000
            output-dim = 3
            mask-zero = true
            scale = -2
            initializer = "normal"
            initializer-scale = 0.25
            [[model.layer]]
            type = "embedding"
            input-dim = 1
            output-dim = 1
            initializer = "uniform"
            initializer-scale = 1e-3
            [[model.layer]]
            type = "multi-head-attention"
            num-heads = 4096
            key-dim = 65536
            causal = true
            use-bias = false
            [[model.layer]]
            type = "layer-normalization"
            epsilon = 1
            [[model.layer]]
            type = "slice"
            start = 7
            size = 5
            [[model.layer]]
            type = "reshape"
            target-shape = [3, 1, 17]
            [[model.layer]]
            type = "tied-dense"
            embedding = "embedding-1"
            activation = "tanh"
            use-bias = false
            """)
        try #require(layers.count == 7)
        let first = try #require(layers[0] as? Embedding)
        #expect(first.inputDim == 10_000_000 && first.outputDim == 3 && first.maskZero && first.scale == -2)
        #expect(first.initializer == .normal(0.25))
        #expect((layers[1] as? Embedding)?.initializer == .uniform(1e-3))
        let attention = try #require(layers[2] as? MultiHeadAttention)
        #expect(attention.heads == 4096 && attention.keyDim == 65536 && attention.isCausal && !attention.usesBias)
        #expect((layers[3] as? LayerNormalization)?.epsilon == 1)
        let slice = try #require(layers[4] as? Slice)
        #expect(slice.start == 7 && slice.size == 5)
        #expect((layers[5] as? Reshape)?.dimensions == [3, 1, 17])
        let tied = try #require(layers[6] as? TiedDense)
        #expect(tied.embedding == "embedding-1" && tied.activation == .tanh && !tied.usesBias)
    }

    /// A block hands on to its layers how kernels start.
    @Test func kernelsStartAsTold() throws {
        let layers = try layers(
            """
            [[model.layer]]
            type = "dense"
            units = 3
            kernel-initializer = "he-normal"
            [[model.layer]]
            type = "gpt-block"
            num-heads = 2
            d-model = 4
            units = 8
            kernel-initializer = "normal"
            kernel-initializer-scale = 0.02
            [[model.layer]]
            type = "position-embedding"
            max-length = 20
            initializer = "normal"
            initializer-scale = 0.5
            """)
        #expect((layers.first as? Dense)?.kernelInitializer == .heNormal)
        #expect(layers.dropFirst().compactMap { ($0 as? Dense)?.kernelInitializer } == [.normal(0.02), .normal(0.02)])
        #expect(layers.compactMap { ($0 as? MultiHeadAttention)?.kernelInitializer } == [.normal(0.02)])
        #expect((layers.last as? PositionEmbedding)?.initializer == .normal(0.5))
    }

    // MARK: - Mistakes

    @Test(arguments: [
        (
            "multi-head-attention", "",
            [
                "7: \"num-heads\" is missing in [model.layer]; for example num-heads = 4",
                "7: \"key-dim\" is missing in [model.layer]; for example key-dim = 64",
            ]
        ),
        (
            "multi-head-attention", "num-heads = 0\nkey-dim = 65537",
            [
                "9: \"model.layer.num-heads\" is 0; it must be from 1 to 4096",
                "10: \"model.layer.key-dim\" is 65537; it must be from 1 to 65536",
            ]
        ),
        (
            "multi-head-attention", "num-heads = \"4\"\nkey-dim = 2.5\ncausal = 1\nuse-bias = \"no\"",
            [
                "9: \"model.layer.num-heads\" must be an integer, not a string",
                "10: \"model.layer.key-dim\" must be an integer, not a number",
                "11: \"model.layer.causal\" must be true or false, not an integer",
                "12: \"model.layer.use-bias\" must be true or false, not a string",
            ]
        ),
        (
            "multi-head-attention", "num-heads = 2\nkey-dim = 2\ncasual = true\nuse-biases = true",
            [
                "11: unknown key \"casual\" in [model.layer]; did you mean \"causal\"?",
                "12: unknown key \"use-biases\" in [model.layer]; did you mean \"use-bias\"?",
            ]
        ),
        (
            "embedding", "input-dim = 0\noutput-dim = 10_000_001",
            [
                "9: \"model.layer.input-dim\" is 0; it must be from 1 to 10000000",
                "10: \"model.layer.output-dim\" is 10000001; it must be from 1 to 10000000",
            ]
        ),
        (
            "embedding", "output-dim = 4\nmask-zeros = true",
            [
                "7: \"input-dim\" is missing in [model.layer]; for example input-dim = 10000",
                "10: unknown key \"mask-zeros\" in [model.layer]; did you mean \"mask-zero\"?",
            ]
        ),
        (
            "embedding", "input-dim = 3\noutput-dim = 4\nscale = 2e6\ninitializer-scale = 0",
            [
                "11: \"model.layer.scale\" is 2000000.0; it must be between -1000000.0 and 1000000.0",
                "12: \"model.layer.initializer-scale\" is 0.0; it must be between 1e-09 and 1000.0",
            ]
        ),
        (
            "tied-dense", "activation = \"softmax\"",
            ["7: \"embedding\" is missing in [model.layer]; for example embedding = \"tokens\""]
        ),
        ("tied-dense", "embedding = 1", ["9: \"model.layer.embedding\" must be a string in quotes, not an integer"]),
        (
            "position-embedding", "max-lenght = 7",
            [
                "7: \"max-length\" is missing in [model.layer]; for example max-length = 128",
                "9: unknown key \"max-lenght\" in [model.layer]; did you mean \"max-length\"?",
            ]
        ),
        (
            "positional-encoding", "max-length = 7",
            ["9: unknown key \"max-length\" in [model.layer]; known here: input, inputs, name, type"]
        ),
        (
            "layer-normalization", "epsilon = 0\naxis = 1",
            [
                "9: \"model.layer.epsilon\" is 0.0; it must be between 1e-12 and 1.0",
                "10: unknown key \"axis\" in [model.layer]; known here: epsilon, input, inputs, name, type",
            ]
        ),
        (
            "layer-normalization", "epsilon = nan",
            ["9: \"model.layer.epsilon\" is nan; it must be between 1e-12 and 1.0"]
        ),
        (
            "add", "axis = 1",
            ["9: unknown key \"axis\" in [model.layer]; known here: activation, input, inputs, name, type"]
        ),
        ("dot", "input = \"a\"\ninputs = [\"a\", \"b\"]", ["10: a layer has either \"input\" or \"inputs\", not both"]),
        ("multiply", "inputs = []", ["9: \"model.layer.inputs\" names no layer"]),
        (
            "concatenate", "inputs = \"a\"",
            ["9: \"model.layer.inputs\" must be an array of strings, not a string"]
        ),
        (
            "slice", "start = -1",
            [
                "7: \"size\" is missing in [model.layer]; for example size = 32",
                "9: \"model.layer.start\" is -1; it must be from 0 to 10000000",
            ]
        ),
        ("slice", "size = 0", ["9: \"model.layer.size\" is 0; it must be from 1 to 10000000"]),
        ("gated", "input = 3", ["9: \"model.layer.input\" must be a string in quotes, not an integer"]),
    ])
    func wrongOptionsAreNamed(type: String, options: String, messages: [String]) {
        // Of one file in the order of its lines.
        #expect(mistakes(type, options).sorted() == messages.map { "job.toml:" + $0 }.sorted())
    }

    @Test(arguments: ["[]", "[3, 0]", "[3, \"4\"]", "[2.0]", "12", "[[3, 4]]"])
    func wrongShapesAreNamed(shape: String) {
        #expect(
            mistakes("reshape", "target-shape = \(shape)") == [
                "job.toml:9: \"target-shape\" must be an array of whole numbers from 1, such as [7, 7, 64]"
            ])
    }

    @Test func aShapeMustBeThere() {
        #expect(
            mistakes("reshape", "") == [
                "job.toml:7: \"target-shape\" is missing in [model.layer]; for example target-shape = [7, 7, 64]"
            ])
    }

    @Test func distributionsAndActivationsAreChosenByName() {
        let initializer = mistakes("embedding", "input-dim = 3\noutput-dim = 4\ninitializer = \"normall\"")
        #expect(initializer.count == 1)
        #expect(initializer.first?.hasPrefix("job.toml:11: \"model.layer.initializer\" is \"normall\"") == true)
        #expect(initializer.first?.hasSuffix("did you mean \"normal\"?") == true, "\(initializer)")
        let activation = mistakes("tied-dense", "embedding = \"e\"\nactivation = \"softmaxx\"")
        #expect(activation.count == 1 && activation.first?.hasSuffix("did you mean \"softmax\"?") == true)
        let type = mistakes("multi-head-atention", "")
        #expect(type.count == 1 && type.first?.hasSuffix("did you mean \"multi-head-attention\"?") == true)
    }
}
