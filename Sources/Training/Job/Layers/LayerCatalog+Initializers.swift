import ConfigFile
import Learning

// How weights start.
extension LayerCatalog {
    enum EmbeddingDistribution: String, CaseIterable { case uniform, normal }

    enum KernelDistribution: String, CaseIterable {
        case glorotUniform = "glorot-uniform"
        case heNormal = "he-normal"
        case normal
    }

    /// `initializer = "normal"` with `initializer-scale`, its deviation; of `"uniform"` it is the bound.
    static func embeddings(_ reader: ConfigReader) -> Initializer {
        let scale = Float(reader.number("initializer-scale", in: 1e-9...1e3) ?? 0.05)
        let kind: EmbeddingDistribution = reader.choice("initializer") ?? .uniform
        return kind == .normal ? .normal(scale) : .uniform(scale)
    }

    /// `kernel-initializer`, and of `"normal"` the deviation, `kernel-initializer-scale`.
    static func kernelInitializer(_ reader: ConfigReader) -> KernelInitializer {
        let deviation = Float(reader.number("kernel-initializer-scale", in: 1e-9...1e3) ?? 0.05)
        let kind: KernelDistribution = reader.choice("kernel-initializer") ?? .glorotUniform
        return switch kind {
        case .glorotUniform: .glorotUniform
        case .heNormal: .heNormal
        case .normal: .normal(deviation)
        }
    }
}
