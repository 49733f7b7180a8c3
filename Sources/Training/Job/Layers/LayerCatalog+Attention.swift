import ConfigFile
import Learning

extension LayerCatalog {
    /// Embeddings, attention and what goes with them.
    static let attention: [String: Reader] = [
        Embedding.kind: { reader in
            let inputDim = required("input-dim", example: "10000", reader)
            let outputDim = required("output-dim", example: "32", reader)
            return Embedding(
                inputDim: inputDim, outputDim: outputDim, maskZero: reader.boolean("mask-zero") ?? false,
                scale: Float(reader.number("scale", in: -1e6...1e6) ?? 1), initializer: embeddings(reader))
        },
        TiedDense.kind: { reader in
            let embedding = reader.string("embedding")
            if reader.table["embedding"] == nil { reader.missing("embedding", example: "\"tokens\"") }
            return TiedDense(
                embedding: embedding ?? "", activation: reader.choice("activation") ?? .linear,
                usesBias: reader.boolean("use-bias") ?? true)
        },
        PositionalEncoding.kind: { _ in PositionalEncoding() },
        PositionEmbedding.kind: { reader in
            PositionEmbedding(
                maxLength: required("max-length", example: "128", reader), initializer: embeddings(reader))
        },
        MultiHeadAttention.kind: { reader in
            let heads = required("num-heads", example: "4", in: 1...4096, reader)
            let keyDim = required("key-dim", example: "64", in: 1...65536, reader)
            return MultiHeadAttention(
                heads: heads, keyDim: keyDim, isCausal: reader.boolean("causal") ?? false,
                usesBias: reader.boolean("use-bias") ?? true, kernelInitializer: kernelInitializer(reader))
        },
        LayerNormalization.kind: { reader in
            LayerNormalization(epsilon: Float(reader.number("epsilon", in: 1e-12...1) ?? 1e-3))
        },
        Dropout.kind: { reader in
            let rate = reader.number("rate", in: 0...0.999)
            if reader.table["rate"] == nil { reader.missing("rate", example: "0.1") }
            return Dropout(rate: rate ?? 0)
        },
    ]

    /// Layers that join tensors, take them apart or look at them otherwise.
    static let joining: [String: Reader] = [
        Add.kind: { reader in Add(activation: reader.choice("activation") ?? .linear) },
        Multiply.kind: { _ in Multiply() },
        Concatenate.kind: { _ in Concatenate() },
        Dot.kind: { _ in Dot() },
        Gate.kind: { _ in Gate() },
        Slice.kind: { reader in
            let size = required("size", example: "32", reader)
            return Slice(start: reader.integer("start", in: 0...10_000_000) ?? 0, size: size)
        },
        Reshape.kind: { reader in
            let node = reader.node("target-shape")
            if node == nil { reader.missing("target-shape", example: "[7, 7, 64]") }
            var dimensions: [Int] = []
            if let node {
                if case .array(let elements) = node.value {
                    for case .integer(let value) in elements.map(\.value) { dimensions.append(Int(value)) }
                    if dimensions.count != elements.count || dimensions.contains(where: { $0 < 1 }) { dimensions = [] }
                }
                if dimensions.isEmpty {
                    reader.report(
                        "target-shape", "\"target-shape\" must be an array of whole numbers from 1, such as [7, 7, 64]")
                }
            }
            return Reshape(dimensions.isEmpty ? [1] : dimensions)
        },
    ]

    /// An integer that must be there; 1 where it is not, or is wrong.
    private static func required(
        _ key: String, example: String, in range: ClosedRange<Int> = 1...10_000_000, _ reader: ConfigReader
    ) -> Int {
        let value = reader.integer(key, in: range)
        if reader.table[key] == nil { reader.missing(key, example: example) }
        return value ?? 1
    }
}
