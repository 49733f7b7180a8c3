import CKernels

/// Products of patches of an image with a packed matrix: what a convolution is, forward and backward. It gathers nothing:
/// each of the tile's rows is a patch where it lies ("The Indirect Convolution Algorithm", Dukhan, 2019, with offsets
/// that are computed instead of a table of pointers).
///
/// All steps are floats.
struct PatchProduct {
    /// The patches, a grid.
    let rows: Int
    let columns: Int
    /// From one patch to the one below and the one beside it.
    let fromRow: Int
    let fromColumn: Int
    /// The same for the results.
    let toRow: Int
    let toColumn: Int
    /// A patch is `outer` times `inner` runs of `run` floats.
    let outer: Int
    let outerStep: Int
    let inner: Int
    let innerStep: Int
    let run: Int

    var depth: Int { outer * inner * run }

    /// Where the next patch and its result lie.
    private struct Cursor {
        var from: FloatPointer
        var to: FloatPointer
        var column = 0
        var left: Int

        /// Stays at the last patch.
        @inline(__always)
        mutating func next(_ product: PatchProduct, _ columns: Int) -> (from: FloatPointer, to: FloatPointer) {
            let here = (from, to)
            left -= 1
            if left > 0 {
                column += 1
                if column == columns {
                    column = 0
                    from += product.fromRow - (columns - 1) * product.fromColumn
                    to += product.toRow - (columns - 1) * product.toColumn
                } else {
                    from += product.fromColumn
                    to += product.toColumn
                }
            }
            return here
        }

        /// The next six, mostly side by side.
        @inline(__always)
        mutating func six(_ product: PatchProduct, _ columns: Int) -> (from: Tile.Rows, to: Tile.Rows) {
            if column + 6 < columns {
                let here = (Tile.Rows(from, step: product.fromColumn), Tile.Rows(to, step: product.toColumn))
                column += 6
                left -= 6
                from += 6 * product.fromColumn
                to += 6 * product.toColumn
                return here
            }
            let (q0, q1, q2) = (next(product, columns), next(product, columns), next(product, columns))
            let (q3, q4, q5) = (next(product, columns), next(product, columns), next(product, columns))
            return (
                Tile.Rows(p0: q0.from, p1: q1.from, p2: q2.from, p3: q3.from, p4: q4.from, p5: q5.from),
                Tile.Rows(p0: q0.to, p1: q1.to, p2: q2.to, p3: q3.to, p4: q4.to, p5: q5.to)
            )
        }
    }

    /// Multiplies each patch with the panels (see ``Panels``) of `channels` columns.
    ///
    /// - Parameter bias: is added, `[channels]`.
    /// - Parameter relu: takes the larger of the result and 0.
    // Inlined, the compiler keeps the tile on the stack.
    @inline(never)
    func multiply(
        _ image: FloatPointer, _ panels: FloatPointer, channels: Int, into output: FloatPointer,
        bias: FloatPointer? = nil, relu: Bool = false, accumulate: Bool = false
    ) {
        let width = Tile.width
        let pixels = rows * columns
        // Rows without a gap are one long row.
        let isFlat = fromRow == columns * fromColumn && toRow == columns * toColumn
        let rowLength = isFlat ? pixels : columns
        var panel = panels
        var channel = 0
        while channel < channels {
            let count = min(width, channels - channel)
            var (b0, b1) = (Vector(repeating: 0), Vector(repeating: 0))
            if let bias {
                if count == width {
                    (b0, b1) = (load(bias + channel), load(bias + channel + lanes))
                } else {
                    b0 = load(bias + channel, count: min(count, lanes))
                    b1 = load(bias + channel + lanes, count: max(count - lanes, 0))
                }
            }
            var cursor = Cursor(from: image, to: output + channel, left: pixels)
            var pixel = 0
            while pixel < pixels {
                let (a, c) = cursor.six(self, rowLength)
                var tile = Tile(b0, b1)
                var b = panel
                for i in 0..<outer {
                    for j in 0..<inner {
                        tile.add(
                            a.moved(i * outerStep + j * innerStep), step: 1, b, depth: run, panelStride: width)
                        b += run * width
                    }
                }
                if relu { tile.clamp() }
                tile.store(c, rows: pixels - pixel, columns: count, accumulate: accumulate)
                pixel += Tile.rows
            }
            channel += width
            panel += width * depth
        }
    }
}

extension ConvolutionShape {
    /// Floats that the kernel takes packed for ``forward(_:_:into:bias:relu:)``.
    package var packedCount: Int { groups * Panels.count(depth: depth, columns: groupFilters) }

    package func pack(_ kernel: FloatPointer, into packed: FloatPointer) {
        let size = Panels.count(depth: depth, columns: groupFilters)
        for group in 0..<groups {
            Panels(packed + group * size, depth: depth, columns: groupFilters).pack(
                MatrixView(kernel + group * groupFilters, rows: depth, columns: groupFilters, stride: filters))
        }
    }

    /// Floats that an image takes with the zeros around it; 0 if it is read where it lies.
    package var paddedCount: Int { pads ? imageCount : 0 }

    /// The image with its zeros, which must stand in `padded` already; or the image itself.
    package func pad(_ image: FloatPointer, into padded: FloatPointer) -> FloatPointer {
        if !pads { return image }
        let row = min(width.input, width.padded - width.before) * channels
        for y in 0..<min(height.input, height.padded - height.before) {
            (padded + (y + height.before) * imagePitch + width.before * channels).update(
                from: image + y * width.input * channels, count: row)
        }
        return padded
    }

    /// One output `[height, width, filters]` from an image that ``pad(_:into:)`` gave and a packed kernel.
    package func forward(
        _ image: FloatPointer, _ packed: FloatPointer, into output: FloatPointer, bias: FloatPointer?, relu: Bool
    ) {
        let joined = width.dilation == 1 && groups == 1
        let product = PatchProduct(
            rows: height.output, columns: width.output, fromRow: height.stride * imagePitch,
            fromColumn: width.stride * channels, toRow: width.output * filters, toColumn: filters,
            outer: height.kernel, outerStep: height.dilation * imagePitch, inner: joined ? 1 : width.kernel,
            innerStep: width.dilation * channels, run: joined ? width.kernel * channels : groupChannels)
        let size = Panels.count(depth: depth, columns: groupFilters)
        for group in 0..<groups {
            let first = group * groupFilters
            product.multiply(
                image + group * groupChannels, packed + group * size, channels: groupFilters, into: output + first,
                bias: bias.map { $0 + first }, relu: relu)
        }
    }
}
