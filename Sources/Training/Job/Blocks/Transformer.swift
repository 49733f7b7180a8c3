import ConfigFile

/// Vaswani et al., "Attention is all you need", 2017, and its variant with the normalisation first: Xiong et al., "On
/// layer normalization in the Transformer architecture", 2020.
extension BlockCatalog {
    private struct Options {
        let heads: Int
        let width: Int
        let units: Int
        let dropout: Double
        /// As the layers' own keys.
        let initializer: String

        init?(_ reader: ConfigReader) {
            dropout = reader.number("dropout", in: 0...0.95) ?? 0
            let distribution: LayerCatalog.KernelDistribution = reader.choice("kernel-initializer") ?? .glorotUniform
            let scale = reader.number("kernel-initializer-scale", in: 1e-9...1e3) ?? 0.05
            initializer =
                "kernel-initializer = \"\(distribution.rawValue)\"\nkernel-initializer-scale = \(scale)\n"
            // All are read before any is missed, so that none counts as unknown.
            let (heads, width) = (size(reader, "num-heads", example: 4), size(reader, "d-model", example: 256))
            let units = size(reader, "units", example: 1024)
            guard let heads, let width, let units else { return nil }
            if width % heads != 0 {
                reader.report("num-heads", "\"d-model\" (\(width)) must be a multiple of \"num-heads\" (\(heads))")
                return nil
            }
            (self.heads, self.width, self.units) = (heads, width, units)
        }

        func drop(_ name: String) -> String {
            dropout > 0 ? "[[layer]]\nname = \"\(name)\"\ntype = \"dropout\"\nrate = \(dropout)\n" : ""
        }

        func attention(_ name: String, _ inputs: [String], causal: Bool) -> String {
            """
            [[layer]]
            name = "\(name)"
            type = "multi-head-attention"
            num-heads = \(heads)
            key-dim = \(width / heads)
            causal = \(causal)
            \(initializer)inputs = [\(inputs.map { "\"\($0)\"" }.joined(separator: ", "))]

            """
        }

        /// - Parameter drops: whether what lies between the two layers is dropped out, too.
        func feedForward(_ name: String, activation: String, drops: Bool) -> String {
            """
            [[layer]]
            name = "\(name)-1"
            type = "dense"
            units = \(units)
            activation = "\(activation)"
            \(initializer)\(drops ? drop("\(name)-drop") : "")[[layer]]
            name = "\(name)-2"
            type = "dense"
            units = \(width)
            \(initializer)
            """
        }

        /// The name of the layer whose output `name` gives, dropped out or not.
        func out(_ name: String, _ drop: String) -> String { dropout > 0 ? drop : name }
    }

    private static func sum(_ name: String, _ a: String, _ b: String) -> String {
        "[[layer]]\nname = \"\(name)\"\ntype = \"add\"\ninputs = [\"\(a)\", \"\(b)\"]\n"
    }

    private static func norm(_ name: String, _ input: String? = nil) -> String {
        "[[layer]]\nname = \"\(name)\"\ntype = \"layer-normalization\"\nepsilon = 1e-5\n"
            + (input.map { "inputs = [\"\($0)\"]\n" } ?? "")
    }

    /// Self attention and a feed-forward part, each added to its input and normalised.
    static let transformerEncoder: Writer = { reader in
        guard let o = Options(reader) else { return nil }
        return o.attention("attention", ["@"], causal: false) + o.drop("drop-1")
            + sum("sum-1", o.out("attention", "drop-1"), "@") + norm("norm-1")
            + o.feedForward("ff", activation: "relu", drops: true)
            + o.drop("drop-2") + sum("sum-2", o.out("ff-2", "drop-2"), "norm-1") + norm("norm-2")
    }

    /// Causal self attention, attention to the second input (the encoder's output), and a feed-forward part.
    static let transformerDecoder: Writer = { reader in
        guard let o = Options(reader) else { return nil }
        return o.attention("self-attention", ["@"], causal: true) + o.drop("drop-1")
            + sum("sum-1", o.out("self-attention", "drop-1"), "@") + norm("norm-1")
            + o.attention("cross-attention", ["norm-1", "@2"], causal: false) + o.drop("drop-2")
            + sum("sum-2", o.out("cross-attention", "drop-2"), "norm-1") + norm("norm-2")
            + o.feedForward("ff", activation: "relu", drops: true) + o.drop("drop-3")
            + sum("sum-3", o.out("ff-2", "drop-3"), "norm-2") + norm("norm-3")
    }

    /// Causal, normalised first, with GELU: Radford et al., "Language models are unsupervised multitask learners", 2019.
    static let gpt: Writer = { reader in
        guard let o = Options(reader) else { return nil }
        return norm("norm-1", "@") + o.attention("attention", ["norm-1"], causal: true) + o.drop("drop-1")
            + sum("sum-1", o.out("attention", "drop-1"), "@") + norm("norm-2")
            + o.feedForward("ff", activation: "gelu", drops: false) + o.drop("drop-2")
            + sum("sum-2", o.out("ff-2", "drop-2"), "sum-1")
    }
}
