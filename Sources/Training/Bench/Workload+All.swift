// The shapes and batches of the benchmarks' peers.
extension Workload {
    package static let all: [Workload] = [
        sentiment("sentiment", steps: 200), sentiment("sentiment-80", steps: 80), recurrent("gru"),
        recurrent("simple-rnn"), mlp, cnn, residual("resnet-8"), residual("resnet-20"), gpt, encoderDecoder, waveNet,
        convolutions,
    ]

    private static func layer(_ type: String, _ options: String...) -> String {
        (["[[layer]]", "type = \"\(type)\""] + options).joined(separator: "\n") + "\n"
    }

    private static func sentiment(_ name: String, steps: Int) -> Workload {
        Workload(
            name: name, layers: "preset = \"sentiment-lstm\"", inputs: [.tokens(steps, below: 10_000)], batchSize: 32,
            target: .binary)
    }

    /// The sentiment model with one layer of another kind, 80 steps.
    private static func recurrent(_ cell: String) -> Workload {
        Workload(
            name: cell,
            layers: layer("embedding", "input-dim = 10000", "output-dim = 32")
                + layer(cell, "units = 64") + layer("dense", "units = 1", "activation = \"sigmoid\""),
            inputs: [.tokens(80, below: 10_000)], batchSize: 32, target: .binary)
    }

    private static let mlp = Workload(
        name: "mlp",
        layers: layer("dense", "units = 512", "activation = \"relu\"")
            + layer("dense", "units = 512", "activation = \"relu\"")
            + layer("dense", "units = 10", "activation = \"softmax\""),
        inputs: [.normal([784])], batchSize: 128, target: .classes([], below: 10))

    private static let cnn = Workload(
        name: "cnn",
        layers: layer("conv-2d", "filters = 32", "kernel-size = 3", "activation = \"relu\"")
            + layer("conv-2d", "filters = 64", "kernel-size = 3", "activation = \"relu\"") + layer("max-pooling-2d")
            + layer("flatten") + layer("dense", "units = 128", "activation = \"relu\"")
            + layer("dense", "units = 10", "activation = \"softmax\""),
        inputs: [.normal([28, 28, 1])], batchSize: 64, target: .classes([], below: 10))

    private static func residual(_ preset: String) -> Workload {
        Workload(
            name: preset, layers: "preset = \"\(preset)\"", inputs: [.normal([32, 32, 3])], batchSize: 64,
            target: .classes([], below: 10))
    }

    private static let gpt = Workload(
        name: "gpt",
        layers: layer("embedding", "input-dim = 10000", "output-dim = 256")
            + layer("position-embedding", "max-length = 128")
            + (0..<4).map { _ in layer("gpt-block", "num-heads = 4", "d-model = 256", "units = 1024") }.joined()
            + layer("layer-normalization", "epsilon = 1e-5")
            + layer("dense", "units = 10000", "use-bias = false", "activation = \"softmax\""),
        inputs: [.tokens(128, below: 10_000)], batchSize: 8, target: .classes([128], below: 10_000))

    private static let encoderDecoder = Workload(
        name: "encoder-decoder",
        layers: layer("embedding", "input-dim = 8000", "output-dim = 256", "input = \"source\"")
            + layer("position-embedding", "max-length = 32")
            + layer("transformer-encoder", "num-heads = 4", "d-model = 256", "units = 1024")
            + layer("transformer-encoder", "num-heads = 4", "d-model = 256", "units = 1024")
            + layer("layer-normalization", "epsilon = 1e-5", "name = \"encoder\"")
            + layer("embedding", "input-dim = 8000", "output-dim = 256", "input = \"target\"")
            + layer("position-embedding", "max-length = 32", "name = \"placed\"")
            + layer(
                "transformer-decoder", "num-heads = 4", "d-model = 256", "units = 1024",
                "inputs = [\"placed\", \"encoder\"]", "name = \"decoder\"")
            + layer(
                "transformer-decoder", "num-heads = 4", "d-model = 256", "units = 1024",
                "inputs = [\"decoder\", \"encoder\"]")
            + layer("layer-normalization", "epsilon = 1e-5")
            + layer("dense", "units = 8000", "activation = \"softmax\""),
        inputs: [.tokens(32, below: 8000), .tokens(32, below: 8000)], batchSize: 32,
        target: .classes([32], below: 8000))

    private static let waveNet = Workload(
        name: "wavenet",
        layers: layer("conv-1d", "filters = 32", "kernel-size = 1") + layer("wavenet", "filters = 32") + layer("relu")
            + layer("conv-1d", "filters = 32", "kernel-size = 1", "activation = \"relu\"")
            + layer("conv-1d", "filters = 256", "kernel-size = 1", "activation = \"softmax\""),
        inputs: [.normal([1000, 1])], batchSize: 8, target: .classes([1000], below: 256))

    private static let convolutions = Workload(
        name: "conv-1d",
        layers: (0..<10).map { index in
            layer(
                "conv-1d", "filters = 32", "kernel-size = 2", "dilation-rate = \(1 << index)", "padding = \"causal\"",
                "activation = \"relu\"")
        }.joined() + layer("conv-1d", "filters = 1", "kernel-size = 1"),
        inputs: [.normal([1000, 1])], batchSize: 8, target: .numbers([1000, 1]))
}
