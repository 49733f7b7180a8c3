/// A data set in memory: features and targets, one row a sample.
///
/// A sample has one input, or several side by side in its row, such as a sentence and its translation. Everything is a
/// float, numbers of classes and words too (exact up to 2^24), and values to predict, or one of either per position.
package struct Samples: Sendable {
    package let count: Int
    /// The shape of each input of one sample.
    package let inputs: [Shape]
    /// `[count][width]`: a row holds its inputs one after the other.
    package let features: FloatBuffer
    /// The shape of one target.
    package let targetShape: Shape
    /// `[count][targetShape]`
    package let targets: FloatBuffer

    /// Floats in a row of ``features``.
    package let width: Int

    /// The shape of the first input.
    package var shape: Shape { inputs[0] }

    /// - Throws: `shape` if the buffers do not hold `count` rows, or there is no input.
    package init(
        count: Int, inputs: [Shape], features: FloatBuffer, targetShape: Shape, targets: FloatBuffer
    ) throws(TensorError) {
        let width = inputs.reduce(0) { $0 + $1.count }
        guard count >= 0, count <= Int(Int32.max), !inputs.isEmpty, features.count == count * width,
            targets.count == count * targetShape.count
        else {
            throw TensorError(
                .shape,
                "\(features.count) features and \(targets.count) targets are not \(count) samples of "
                    + "\(inputs.map(\.description).joined(separator: " and ")) and \(targetShape)")
        }
        self.count = count
        self.inputs = inputs
        self.width = width
        self.features = features
        self.targetShape = targetShape
        self.targets = targets
    }

    /// Samples with one input.
    package init(
        count: Int, shape: Shape, features: FloatBuffer, targetShape: Shape, targets: FloatBuffer
    ) throws(TensorError) {
        try self.init(count: count, inputs: [shape], features: features, targetShape: targetShape, targets: targets)
    }
}
