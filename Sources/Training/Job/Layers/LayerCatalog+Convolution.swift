import ConfigFile
import Learning

extension LayerCatalog {
    /// Layers over images and sequences, channels last.
    static let convolution: [String: Reader] = [
        Conv2D.kind: { reader in
            let filters = filters(reader)
            let size = extent(reader, "kernel-size")
            if reader.table["kernel-size"] == nil { reader.missing("kernel-size", example: "3") }
            return Conv2D(
                filters: filters, kernelSize: size ?? Extent(1), strides: extent(reader, "strides") ?? Extent(1),
                padding: padding(reader), dilationRate: extent(reader, "dilation-rate") ?? Extent(1),
                groups: positive(reader, "groups") ?? 1, activation: reader.choice("activation") ?? .linear,
                usesBias: reader.boolean("use-bias") ?? true,
                kernelInitializer: kernelInitializer(reader))
        },
        Conv1D.kind: { reader in
            let filters = filters(reader)
            let size = positive(reader, "kernel-size")
            if reader.table["kernel-size"] == nil { reader.missing("kernel-size", example: "3") }
            return Conv1D(
                filters: filters, kernelSize: size ?? 1, strides: positive(reader, "strides") ?? 1,
                padding: reader.choice("padding") ?? .valid, dilationRate: positive(reader, "dilation-rate") ?? 1,
                groups: positive(reader, "groups") ?? 1, activation: reader.choice("activation") ?? .linear,
                usesBias: reader.boolean("use-bias") ?? true,
                kernelInitializer: kernelInitializer(reader))
        },
        MaxPooling2D.kind: { reader in
            MaxPooling2D(
                poolSize: extent(reader, "pool-size") ?? Extent(2), strides: extent(reader, "strides"),
                padding: padding(reader))
        },
        MaxPooling1D.kind: { reader in
            MaxPooling1D(
                poolSize: positive(reader, "pool-size") ?? 2, strides: positive(reader, "strides"),
                padding: padding(reader))
        },
        AveragePooling2D.kind: { reader in
            AveragePooling2D(
                poolSize: extent(reader, "pool-size") ?? Extent(2), strides: extent(reader, "strides"),
                padding: padding(reader))
        },
        AveragePooling1D.kind: { reader in
            AveragePooling1D(
                poolSize: positive(reader, "pool-size") ?? 2, strides: positive(reader, "strides"),
                padding: padding(reader))
        },
        GlobalAveragePooling2D.kind: { _ in GlobalAveragePooling2D() },
        GlobalAveragePooling1D.kind: { _ in GlobalAveragePooling1D() },
        GlobalMaxPooling2D.kind: { _ in GlobalMaxPooling2D() },
        GlobalMaxPooling1D.kind: { _ in GlobalMaxPooling1D() },
        BatchNormalization.kind: { reader in
            let momentum = reader.number("momentum", in: 0...1).map { Float($0) }
            let epsilon = reader.number("epsilon", in: 1e-12...1).map { Float($0) }
            return BatchNormalization(
                momentum: momentum ?? 0.99, epsilon: epsilon ?? 1e-3,
                activation: reader.choice("activation") ?? .linear)
        },
        UpSampling2D.kind: { reader in UpSampling2D(size: extent(reader, "size") ?? Extent(2)) },
    ]

    /// Larger windows and steps than any input has places.
    private static let longest = 1_000_000

    private static func positive(_ reader: ConfigReader, _ key: String) -> Int? {
        reader.integer(key, in: 1...longest)
    }

    private static func filters(_ reader: ConfigReader) -> Int {
        let filters = reader.integer("filters", in: 1...longest)
        if reader.table["filters"] == nil { reader.missing("filters", example: "32") }
        return filters ?? 1
    }

    /// All but `causal`, which is for sequences.
    private static func padding(_ reader: ConfigReader) -> ConvolutionPadding {
        let padding: ConvolutionPadding = reader.choice("padding") ?? .valid
        if padding != .causal { return padding }
        reader.report("padding", "padding = \"causal\" is for conv-1d layers; take \"valid\" or \"same\"")
        return .valid
    }

    /// One number for both axes, or `[height, width]`.
    private static func extent(_ reader: ConfigReader, _ key: String) -> Extent? {
        guard let node = reader.node(key) else { return nil }
        if case .array(let elements) = node.value, elements.count == 2 {
            let numbers = elements.compactMap { element -> Int? in
                guard case .integer(let value) = element.value, 1...Int64(longest) ~= Int64(value) else { return nil }
                return Int(value)
            }
            if numbers.count == 2 { return Extent(numbers[0], numbers[1]) }
        } else if case .integer = node.value {
            return positive(reader, key).map { Extent($0) }
        }
        reader.report(
            key, "\"\(key)\" must be an integer from 1 to \(longest), or two of them: [height, width]")
        return nil
    }
}
