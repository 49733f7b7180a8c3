import CKernels

/// Convolutions with a 3x3 kernel and stride 1 by 16 products for each 2x2 outputs instead of 36: `F(2x2, 3x3)` of Lavin
/// and Gray, "Fast algorithms for convolutional neural networks", 2016.
///
/// An output tile is `A' [(G g G') * (B' d B)] A` with `d` the 4x4 inputs it reads and `g` the kernel, the product `*` being
/// element by element and summed over the channels: 16 matrix products. Tiles are numbered over the images of a shard,
/// row by row, and worked on in blocks that fit in the cache. Channels and filters are whole vectors.
package struct Winograd: Hashable, Sendable {
    /// Where the sums go: from images of `from` channels, `height` by `width`, to images of `to` channels.
    struct Plane {
        let height: Int
        let width: Int
        /// Zeros above and left of the images.
        let top: Int
        let left: Int
        let outputHeight: Int
        let outputWidth: Int

        var tileRows: Int { (outputHeight + 1) / 2 }
        var tileColumns: Int { (outputWidth + 1) / 2 }
        var tiles: Int { tileRows * tileColumns }
    }

    let shape: ConvolutionShape

    /// Nil where it cannot be used, or would not pay.
    package init?(_ shape: ConvolutionShape) {
        for axis in [shape.height, shape.width] {
            guard axis.kernel == 3, axis.stride == 1, axis.dilation == 1, axis.output > 1, axis.before <= 2 else {
                return nil
            }
        }
        guard shape.groups == 1, shape.channels % lanes == 0, shape.filters % lanes == 0,
            min(shape.channels, shape.filters) >= Winograd.leastChannels
        else { return nil }
        self.shape = shape
    }

    /// With fewer channels the transforms cost more than they save.
    static let leastChannels = 24

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
    var block: Int { max(Tile.rows, 4096 / (shape.channels + shape.filters) / Tile.rows * Tile.rows) }

    private var widest: Int { max(shape.channels, shape.filters) }
    var square: Int { shape.channels * shape.filters }

    /// Floats that a packed kernel takes.
    package var packedCount: Int {
        16
            * max(
                Panels.count(depth: shape.channels, columns: shape.filters),
                Panels.count(depth: shape.filters, columns: shape.channels))
    }

    /// Floats of scratch: a transformed kernel, a block of transformed inputs and outputs, and a patch.
    package var scratchCount: Int { 16 * square + 16 * block * (shape.channels + shape.filters) + 16 * widest }

    // MARK: - The kernel

    /// `U = G g G'`, `[16][channels][filters]`.
    private func transform(_ kernel: FloatPointer, into u: FloatPointer) {
        let n = square
        for i in stride(from: 0, to: n, by: lanes) {
            for column in 0..<3 {
                // Down the columns of g, into u's first three columns.
                let g0 = load(kernel + column * n + i)
                let g1 = load(kernel + (3 + column) * n + i)
                let g2 = load(kernel + (6 + column) * n + i)
                let half = (g0 + g2) * 0.5
                store(u + column * n + i, g0)
                store(u + (4 + column) * n + i, mld_fma(g1, Vector(repeating: 0.5), half))
                store(u + (8 + column) * n + i, mld_fma(g1, Vector(repeating: -0.5), half))
                store(u + (12 + column) * n + i, g2)
            }
            for row in 0..<4 {
                let at = u + row * 4 * n + i
                let (g0, g1, g2) = (load(at), load(at + n), load(at + 2 * n))
                let half = (g0 + g2) * 0.5
                store(at + n, mld_fma(g1, Vector(repeating: 0.5), half))
                store(at + 2 * n, mld_fma(g1, Vector(repeating: -0.5), half))
                store(at + 3 * n, g2)
            }
        }
    }

    package func pack(_ kernel: FloatPointer, into packed: FloatPointer, scratch: FloatPointer) {
        transform(kernel, into: scratch)
        pack(scratch, channels: shape.channels, filters: shape.filters, into: packed)
    }

    /// The same of the kernel turned round, from filters to channels.
    package func packTranspose(_ kernel: FloatPointer, into packed: FloatPointer, scratch: FloatPointer) {
        let (channels, filters) = (shape.channels, shape.filters)
        // The packed kernel's place is free till the end, and large enough.
        for tap in 0..<9 {
            let (from, to) = (kernel + tap * square, packed + (8 - tap) * square)
            // A few rows at a time, whose cache lines are then read to their ends.
            for first in stride(from: 0, to: channels, by: lanes) {
                for filter in 0..<filters {
                    for channel in first..<(first + lanes) {
                        to[filter * channels + channel] = from[channel * filters + filter]
                    }
                }
            }
        }
        transform(packed, into: scratch)
        pack(scratch, channels: filters, filters: channels, into: packed)
    }

    private func pack(_ u: FloatPointer, channels: Int, filters: Int, into packed: FloatPointer) {
        let size = Panels.count(depth: channels, columns: filters)
        for k in 0..<16 {
            Panels(packed + k * size, depth: channels, columns: filters).pack(
                MatrixView(u + k * square, rows: channels, columns: filters))
        }
    }

    // MARK: - The tiles

    /// `B' d B` of `count` tiles from `first` on, `[16][count][channels]`.
    func transformInputs(
        _ images: FloatPointer, _ plane: Plane, channels: Int, first: Int, count: Int, into v: FloatPointer,
        patch: FloatPointer
    ) {
        for t in 0..<count {
            let (image, tile) = (first + t).quotientAndRemainder(dividingBy: plane.tiles)
            let (tileRow, tileColumn) = tile.quotientAndRemainder(dividingBy: plane.tileColumns)
            let (y, x) = (2 * tileRow - plane.top, 2 * tileColumn - plane.left)
            var from = images + ((image * plane.height + y) * plane.width + x) * channels
            var pitch = plane.width * channels
            if y < 0 || x < 0 || y + 4 > plane.height || x + 4 > plane.width {
                // Over an edge: into zeros first.
                patch.update(repeating: 0, count: 16 * channels)
                let columns = max(x, 0)..<max(min(x + 4, plane.width), max(x, 0))
                for row in max(y, 0)..<max(min(y + 4, plane.height), max(y, 0)) {
                    (patch + ((row - y) * 4 + columns.lowerBound - x) * channels).update(
                        from: images + ((image * plane.height + row) * plane.width + columns.lowerBound) * channels,
                        count: columns.count * channels)
                }
                from = patch
                pitch = 4 * channels
            }
            transformInput(from, pitch: pitch, channels: channels, into: v + t * channels, step: count * channels)
        }
    }

    @inline(__always)
    private func transformInput(
        _ d: FloatPointer, pitch: Int, channels: Int, into v: FloatPointer, step: Int
    ) {
        var c = 0
        while c < channels {
            @inline(__always)
            func column(_ x: Int) -> (Vector, Vector, Vector, Vector) {
                let p = d + x * channels + c
                let (d0, d1, d2, d3) = (load(p), load(p + pitch), load(p + 2 * pitch), load(p + 3 * pitch))
                return (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
            }
            @inline(__always)
            func row(_ at: Int, _ r0: Vector, _ r1: Vector, _ r2: Vector, _ r3: Vector) {
                let p = v + at * 4 * step + c
                store(p, r0 - r2)
                store(p + step, r1 + r2)
                store(p + 2 * step, r2 - r1)
                store(p + 3 * step, r1 - r3)
            }
            let (c0, c1, c2, c3) = (column(0), column(1), column(2), column(3))
            row(0, c0.0, c1.0, c2.0, c3.0)
            row(1, c0.1, c1.1, c2.1, c3.1)
            row(2, c0.2, c1.2, c2.2, c3.2)
            row(3, c0.3, c1.3, c2.3, c3.3)
            c += lanes
        }
    }

    /// `A' m A` of `count` tiles, with what follows it, into the images.
    private func transformOutputs(
        _ m: FloatPointer, _ plane: Plane, channels: Int, first: Int, count: Int, into images: FloatPointer,
        bias: FloatPointer?, relu: Bool, accumulate: Bool
    ) {
        let step = count * channels
        let zero = Vector(repeating: 0)
        for t in 0..<count {
            let (image, tile) = (first + t).quotientAndRemainder(dividingBy: plane.tiles)
            let (tileRow, tileColumn) = tile.quotientAndRemainder(dividingBy: plane.tileColumns)
            let (y, x) = (2 * tileRow, 2 * tileColumn)
            let to = images + ((image * plane.outputHeight + y) * plane.outputWidth + x) * channels
            let pitch = plane.outputWidth * channels
            let (below, beside) = (y + 1 < plane.outputHeight, x + 1 < plane.outputWidth)
            var c = 0
            while c < channels {
                let p = m + t * channels + c
                @inline(__always)
                func column(_ x: Int) -> (Vector, Vector) {
                    let q = p + x * step
                    let (m0, m1, m2, m3) = (load(q), load(q + 4 * step), load(q + 8 * step), load(q + 12 * step))
                    return (m0 + (m1 + m2), (m1 - m2) - m3)
                }
                let b = bias.map { load($0 + c) } ?? zero
                @inline(__always)
                func put(_ to: FloatPointer, _ value: Vector) {
                    var value = value + b
                    if relu { value = mld_max(value, zero) }
                    if accumulate { value += load(to) }
                    store(to, value)
                }
                let (c0, c1, c2, c3) = (column(0), column(1), column(2), column(3))
                put(to + c, c0.0 + (c1.0 + c2.0))
                if beside { put(to + channels + c, (c1.0 - c2.0) - c3.0) }
                if below {
                    put(to + pitch + c, c0.1 + (c1.1 + c2.1))
                    if beside { put(to + pitch + channels + c, (c1.1 - c2.1) - c3.1) }
                }
                c += lanes
            }
        }
    }

    private func multiplyAll(
        _ images: FloatPointer, _ plane: Plane, rows: Int, from: Int, to: Int, _ packed: FloatPointer,
        into outputs: FloatPointer, scratch: FloatPointer, bias: FloatPointer?, relu: Bool, accumulate: Bool
    ) {
        let v = scratch + 16 * square
        let m = v + 16 * block * from
        let patch = m + 16 * block * to
        let size = Panels.count(depth: from, columns: to)
        var first = 0
        while first < rows * plane.tiles {
            let count = min(block, rows * plane.tiles - first)
            transformInputs(images, plane, channels: from, first: first, count: count, into: v, patch: patch)
            for k in 0..<16 {
                multiply(
                    v + k * count * from, strideA: from, rows: count,
                    Panels(packed + k * size, depth: from, columns: to), into: m + k * count * to, strideC: to)
            }
            transformOutputs(
                m, plane, channels: to, first: first, count: count, into: outputs, bias: bias, relu: relu,
                accumulate: accumulate)
            first += count
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
