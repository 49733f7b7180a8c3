/// How a layer's kernel starts, whatever its size.
package enum KernelInitializer: Hashable, Sendable {
    case glorotUniform
    case heNormal
    /// With this standard deviation, as in Radford et al., "Language models are unsupervised multitask learners", 2019.
    case normal(Float)

    /// - Parameters:
    ///   - fanIn: how many inputs each output is summed from.
    ///   - fanOut: how many outputs each input goes to.
    func initializer(fanIn: Int, fanOut: Int) -> Initializer {
        switch self {
        case .glorotUniform: .glorotUniform(fanIn: fanIn, fanOut: fanOut)
        case .heNormal: .heNormal(fanIn: fanIn)
        case .normal(let deviation): .normal(deviation)
        }
    }
}
