/// What bounds a step's gradients before the optimiser sees them.
package enum Clipping: Hashable, Sendable {
    case none
    /// Scaled down so that the norm of all of them together is at most this: Pascanu, Mikolov, Bengio, "On the
    /// difficulty of training recurrent neural networks", 2013.
    case globalNorm(Float)
    /// Each on its own, to `±` this.
    case value(Float)
}
