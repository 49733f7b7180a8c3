import CKernels

/// Convolutions with a 3x3 kernel and stride 1 by 36 products for each 4x4 outputs instead of 144: `F(4x4, 3x3)` of Lavin
/// and Gray, "Fast algorithms for convolutional neural networks", 2016.
///
/// An output tile is `A' [(G g G') * (B' d B)] A` with `d` the 6x6 inputs it reads and `g` the kernel, the product `*` being
/// element by element and summed over the channels: 36 matrix products. Tiles are numbered over the images of a shard,
/// row by row, and worked on in blocks that fit in the cache. Channels and filters are whole vectors. Its rounding
/// errors are larger than those of a plain sum; the tests bound them.
package struct Winograd: Hashable, Sendable {
    /// Outputs of a tile along an axis, the inputs it reads, and the products it takes.
    static let side = 4
    static let reach = 6
    static let products = 36

    /// Where the sums go: from images of `from` channels, `height` by `width`, to images of `to` channels.
    struct Plane {
        let height: Int
        let width: Int
        /// Zeros above and left of the images.
        let top: Int
        let left: Int
        let outputHeight: Int
        let outputWidth: Int

        var tileRows: Int { (outputHeight + Winograd.side - 1) / Winograd.side }
        var tileColumns: Int { (outputWidth + Winograd.side - 1) / Winograd.side }
        var tiles: Int { tileRows * tileColumns }

        /// The image of a tile and its first output.
        @inline(__always)
        func place(_ tile: Int) -> (image: Int, y: Int, x: Int) {
            let (image, inImage) = tile.quotientAndRemainder(dividingBy: tiles)
            let (row, column) = inImage.quotientAndRemainder(dividingBy: tileColumns)
            return (image, row * Winograd.side, column * Winograd.side)
        }
    }

    /// Tiles in the works: transformed inputs `v [36][count][from]`, products `m [36][count][to]`, and what edges read.
    struct Block {
        let v: FloatPointer
        let m: FloatPointer
        /// One position of all channels, six times over: zeros.
        let zeros: FloatPointer
        /// Room for a tile of one vector of channels.
        let tile: FloatPointer
        let first: Int
        let count: Int

        /// Floats from one product's matrix to the next: not a power of 2, which would put all 36 in the same lines of
        /// the cache.
        func step(_ channels: Int) -> Int { Block.step(count, channels) }

        static func step(_ count: Int, _ channels: Int) -> Int { count * channels + FloatBuffer.alignment }
    }

    let shape: ConvolutionShape

    /// Nil where it cannot be used, or would not pay.
    package init?(_ shape: ConvolutionShape) {
        for axis in [shape.height, shape.width] {
            guard axis.kernel == 3, axis.stride == 1, axis.dilation == 1, axis.output > 2, axis.before <= 2 else {
                return nil
            }
        }
        guard shape.groups == 1, shape.channels % lanes == 0, shape.filters % lanes == 0,
            min(shape.channels, shape.filters) >= Winograd.leastChannels
        else { return nil }
        self.shape = shape
    }

    /// With fewer channels the transforms cost more than they save.
    static let leastChannels = 16

    var forwardPlane: Plane {
        Plane(
            height: shape.height.input, width: shape.width.input, top: shape.height.before, left: shape.width.before,
            outputHeight: shape.height.output, outputWidth: shape.width.output)
    }

    /// The gradient of the images is a convolution of that of the outputs with the kernel turned round.
    var backwardPlane: Plane {
        Plane(
            height: shape.height.output, width: shape.width.output, top: 2 - shape.height.before,
            left: 2 - shape.width.before, outputHeight: shape.height.input, outputWidth: shape.width.input)
    }

    /// Tiles worked on at once: what is read and made of them takes about 256 KiB.
    var block: Int {
        max(4 * Tile.rows, 2048 / (shape.channels + shape.filters) / Tile.rows * Tile.rows)
    }

    private var widest: Int { max(shape.channels, shape.filters) }
    var square: Int { shape.channels * shape.filters }

    /// Floats that a packed kernel takes.
    package var packedCount: Int {
        Winograd.products
            * max(
                packedStep(from: shape.channels, to: shape.filters),
                packedStep(from: shape.filters, to: shape.channels))
    }

    /// Floats from one of the 36 sums that make the kernel's gradient to the next.
    var sumStep: Int { square + FloatBuffer.alignment }

    /// Floats of scratch: the sums for a kernel, and a block of tiles with what it needs.
    package var scratchCount: Int {
        Winograd.products * (sumStep + Block.step(block, shape.channels) + Block.step(block, shape.filters))
            + Winograd.reach * widest + Winograd.products * lanes
    }

    /// A block in the scratch memory, behind the sums for the kernel.
    func block(_ scratch: FloatPointer, from: Int, to: Int, first: Int, tiles: Int) -> Block {
        let v = scratch + Winograd.products * sumStep
        let m = v + Winograd.products * Block.step(block, from)
        let zeros = m + Winograd.products * Block.step(block, to)
        return Block(
            v: v, m: m, zeros: zeros, tile: zeros + Winograd.reach * widest, first: first,
            count: min(block, tiles - first))
    }

    // MARK: - The kernel

    /// Floats from one of the 36 packed matrices to the next; see ``Block/step(_:)``.
    private func packedStep(from: Int, to: Int) -> Int {
        Panels.count(depth: from, columns: to) + FloatBuffer.alignment
    }

    /// `U = G g G'`, 36 matrices in panels, from `g [9][from][to]`. What stands beyond the last column is left as it is:
    /// nothing is made of it.
    private func pack(_ g: FloatPointer, from: Int, to: Int, into packed: FloatPointer, tile: FloatPointer) {
        typealias T = WinogradTransforms
        let step = packedStep(from: from, to: to)
        let n = square
        for channel in 0..<from {
            for filter in stride(from: 0, to: to, by: lanes) {
                let at = g + channel * to + filter
                for column in 0..<3 {
                    let p = at + column * n
                    T.put(
                        T.kernel((load(p), load(p + 3 * n), load(p + 6 * n))), tile + column * lanes, 3 * lanes)
                }
                let (panel, inPanel) = filter.quotientAndRemainder(dividingBy: Tile.width)
                let place = packed + (panel * from + channel) * Tile.width + inPanel
                for row in 0..<Winograd.reach {
                    let p = tile + row * 3 * lanes
                    T.put(
                        T.kernel((load(p), load(p + lanes), load(p + 2 * lanes))),
                        place + row * Winograd.reach * step, step)
                }
            }
        }
    }

    package func pack(_ kernel: FloatPointer, into packed: FloatPointer, scratch: FloatPointer) {
        pack(kernel, from: shape.channels, to: shape.filters, into: packed, tile: scratch)
    }

    /// The same of the kernel turned round, from filters to channels.
    package func packTranspose(_ kernel: FloatPointer, into packed: FloatPointer, scratch: FloatPointer) {
        let (channels, filters) = (shape.channels, shape.filters)
        let turned = scratch + Winograd.products * lanes
        for tap in 0..<9 {
            let (from, to) = (kernel + tap * square, turned + (8 - tap) * square)
            // A few rows at a time, whose cache lines are then read to their ends.
            for first in stride(from: 0, to: channels, by: lanes) {
                for filter in 0..<filters {
                    for channel in first..<(first + lanes) {
                        to[filter * channels + channel] = from[channel * filters + filter]
                    }
                }
            }
        }
        pack(turned, from: filters, to: channels, into: packed, tile: scratch)
    }

    // MARK: - The images

    private func multiplyAll(
        _ images: FloatPointer, _ plane: Plane, rows: Int, from: Int, to: Int, _ packed: FloatPointer,
        into outputs: FloatPointer, scratch: FloatPointer, bias: FloatPointer?, relu: Bool, accumulate: Bool
    ) {
        let size = packedStep(from: from, to: to)
        let tiles = rows * plane.tiles
        for first in stride(from: 0, to: tiles, by: block) {
            let block = block(scratch, from: from, to: to, first: first, tiles: tiles)
            transformInputs(images, plane, channels: from, block)
            for k in 0..<Winograd.products {
                multiply(
                    block.v + k * block.step(from), strideA: from, rows: block.count,
                    Panels(packed + k * size, depth: from, columns: to), into: block.m + k * block.step(to),
                    strideC: to)
            }
            transformOutputs(
                block, plane, channels: to, into: outputs, bias: bias, relu: relu, accumulate: accumulate)
        }
    }

    /// The outputs of `rows` images.
    package func forward(
        _ images: FloatPointer, rows: Int, _ packed: FloatPointer, into outputs: FloatPointer, bias: FloatPointer?,
        relu: Bool, scratch: FloatPointer
    ) {
        multiplyAll(
            images, forwardPlane, rows: rows, from: shape.channels, to: shape.filters, packed, into: outputs,
            scratch: scratch, bias: bias, relu: relu, accumulate: false)
    }

    /// The gradients of `rows` images from those of their outputs.
    package func imageGradient(
        _ gradients: FloatPointer, rows: Int, _ packed: FloatPointer, into imageGradients: FloatPointer,
        accumulate: Bool, scratch: FloatPointer
    ) {
        multiplyAll(
            gradients, backwardPlane, rows: rows, from: shape.filters, to: shape.channels, packed,
            into: imageGradients, scratch: scratch, bias: nil, relu: false, accumulate: accumulate)
    }
}
