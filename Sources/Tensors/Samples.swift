/// A data set in memory: features and targets, one row a sample.
///
/// Targets are floats too: class numbers (exact up to 2^24), values to predict, or one of either per position.
package struct Samples: Sendable {
    package let count: Int
    /// The shape of one sample.
    package let shape: Shape
    /// `[count][shape]`
    package let features: FloatBuffer
    /// The shape of one target.
    package let targetShape: Shape
    /// `[count][targetShape]`
    package let targets: FloatBuffer

    /// - Throws: `shape` if the buffers do not hold `count` rows.
    package init(
        count: Int, shape: Shape, features: FloatBuffer, targetShape: Shape, targets: FloatBuffer
    ) throws(TensorError) {
        guard count >= 0, count <= Int(Int32.max), features.count == count * shape.count,
            targets.count == count * targetShape.count
        else {
            throw TensorError(
                .shape,
                "\(features.count) features and \(targets.count) targets are not \(count) samples of \(shape) and "
                    + "\(targetShape)")
        }
        self.count = count
        self.shape = shape
        self.features = features
        self.targetShape = targetShape
        self.targets = targets
    }
}
