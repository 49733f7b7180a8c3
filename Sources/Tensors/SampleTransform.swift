/// Changes a sample at random as it is taken for training, without allocating.
package protocol SampleTransform: Sendable {
    /// Writes another version of the sample at `from`, of this shape, to `to`.
    func apply(from: FloatPointer, to: FloatPointer, shape: Shape, generator: inout SplitMix64)
}
