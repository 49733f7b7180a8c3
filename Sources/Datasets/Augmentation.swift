package import Tensors

/// Random changes of an image that leave its class as it is, so that a model sees each one a little differently every
/// time.
package struct Augmentation: SampleTransform, Hashable, Sendable {
    /// Mirrored left to right, every other time.
    package var flipHorizontal: Bool
    /// Moved by up to this many pixels along each axis.
    package var shift: Int
    /// What comes in where the image moved away: black after normalisation.
    package var fill: Float

    package init(flipHorizontal: Bool = false, shift: Int = 0, fill: Float = 0) {
        self.flipHorizontal = flipHorizontal
        self.shift = max(shift, 0)
        self.fill = fill
    }

    /// Writes one changed image. Draws, in this order: the mirroring (the top bit of a number), the rows to move down, the
    /// columns to move right (each `below(2 shift + 1) - shift`), and only those that are asked for.
    ///
    /// - Parameter shape: `[height, width]` or `[height, width, channels]`; anything else is copied as it is.
    package func apply(from: FloatPointer, to: FloatPointer, shape: Shape, generator: inout SplitMix64) {
        let flips = flipHorizontal && generator.next() >> 63 == 1
        let down = shift > 0 ? generator.below(2 * shift + 1) - shift : 0
        let right = shift > 0 ? generator.below(2 * shift + 1) - shift : 0
        guard shape.rank == 2 || shape.rank == 3, flips || down != 0 || right != 0 else {
            to.update(from: from, count: shape.count)
            return
        }
        let height = shape.dimensions[0]
        let width = shape.dimensions[1]
        let channels = shape.rank == 3 ? shape.dimensions[2] : 1
        for row in 0..<height {
            let sourceRow = row - down
            for column in 0..<width {
                let moved = column - right
                let sourceColumn = flips ? width - 1 - moved : moved
                let place = to + (row * width + column) * channels
                if sourceRow >= 0, sourceRow < height, sourceColumn >= 0, sourceColumn < width {
                    let source = from + (sourceRow * width + sourceColumn) * channels
                    for channel in 0..<channels { place[channel] = source[channel] }
                } else {
                    for channel in 0..<channels { place[channel] = fill }
                }
            }
        }
    }
}
