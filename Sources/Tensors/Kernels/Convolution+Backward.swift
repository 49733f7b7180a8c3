/// Sums over the pixels of images: what the gradient of a kernel is. All steps are floats, `from` those of the image, `to`
/// those of the output's gradient.
private struct PixelProduct {
    let images: Int
    let fromImage: Int
    let toImage: Int
    let rows: Int
    let fromRow: Int
    let toRow: Int
    let columns: Int
    let fromColumn: Int
    let toColumn: Int

    /// Adds six numbers of the patches times a tile's width of the gradient.
    // Inlined, the compiler keeps the tile on the stack.
    @inline(never)
    func add(_ a: Tile.Rows, _ gradient: FloatPointer, into c: FloatPointer, rows count: Int, columns width: Int) {
        var tile = Tile()
        for image in 0..<images {
            for row in 0..<rows {
                let at = image * fromImage + row * fromRow
                tile.add(
                    a.moved(at), step: fromColumn, gradient + image * toImage + row * toRow, depth: columns,
                    panelStride: toColumn)
            }
        }
        tile.store(c, stride: toColumn, rows: count, columns: width, accumulate: true)
    }
}

// The gradients of a convolution with respect to its kernel and its image.
extension ConvolutionShape {
    /// Images whose part of the kernel's gradient is summed in registers: a few, when they are small.
    package var block: Int { max(1, 256 / (height.output * width.output)) }

    /// How the gradient of an output lies in memory, zeros around it.
    package struct GradientLayout: Sendable {
        let top: Int
        let left: Int
        /// Floats from one row to the next.
        let pitch: Int
        /// Floats of one image.
        let count: Int
        /// Whether it has to be copied there.
        let copies: Bool
        /// Floats to allocate for `block` images; the last tile reads beyond the last pixel.
        package let scratch: Int
        /// Floats from one image to the next.
        package var stride: Int { count }
    }

    /// - Parameter bordered: the gradient of the image is wanted too, whose patches reach over the edges.
    package func gradientLayout(bordered: Bool) -> GradientLayout {
        let y = bordered ? height.gradientBorder : (before: 0, after: 0)
        let x = bordered ? width.gradientBorder : (before: 0, after: 0)
        let pitch = (x.before + width.output + x.after) * filters
        let count = pitch * (y.before + height.output + y.after)
        let copies = count != outputCount || groupFilters % Tile.width != 0
        return GradientLayout(
            top: y.before, left: x.before, pitch: pitch, count: count, copies: copies,
            scratch: copies ? count * block + Tile.width : 0)
    }

    /// The gradient of an output in its layout, whose zeros must stand in `scratch` already; or where it lies.
    package func place(_ gradient: FloatPointer, _ layout: GradientLayout, into scratch: FloatPointer) -> FloatPointer {
        if !layout.copies { return gradient }
        let row = width.output * filters
        for y in 0..<height.output {
            (scratch + (y + layout.top) * layout.pitch + layout.left * filters).update(
                from: gradient + y * row, count: row)
        }
        return scratch
    }

    /// Adds the sum over `images` images to the gradient of the kernel. The sums over the pixels stay in registers; six
    /// numbers of the patches at a time stand for the rows of the tile.
    ///
    /// - Parameters:
    ///   - image: the first one as ``pad(_:into:)`` gave it; the others follow at once.
    ///   - gradient: the first one in its layout; the others follow at once.
    package func addKernelGradient(
        _ image: FloatPointer, _ gradient: FloatPointer, _ layout: GradientLayout, images: Int,
        into kernelGradient: FloatPointer
    ) {
        let step = width.stride * channels
        let rowStep = height.stride * imagePitch
        // Rows without a gap are one long row.
        let isFlat = rowStep == width.output * step && layout.pitch == width.output * filters
        let rows = isFlat ? 1 : height.output
        let columns = isFlat ? height.output * width.output : width.output
        let product = PixelProduct(
            images: images, fromImage: imageCount, toImage: layout.count, rows: rows, fromRow: rowStep,
            toRow: layout.pitch, columns: columns, fromColumn: step, toColumn: filters)
        let inset = layout.top * layout.pitch + layout.left * filters
        for group in 0..<groups {
            let x = image + group * groupChannels
            var channel = 0
            while channel < groupFilters {
                let first = group * groupFilters + channel
                var position = 0
                while position < depth {
                    let count = min(Tile.rows, depth - position)
                    let a = Tile.Rows(
                        p0: x + offset(position), p1: x + offset(position + min(1, count - 1)),
                        p2: x + offset(position + min(2, count - 1)), p3: x + offset(position + min(3, count - 1)),
                        p4: x + offset(position + min(4, count - 1)), p5: x + offset(position + min(5, count - 1)))
                    product.add(
                        a, gradient + inset + first, into: kernelGradient + position * filters + first, rows: count,
                        columns: min(Tile.width, groupFilters - channel))
                    position += Tile.rows
                }
                channel += Tile.width
            }
        }
    }

    /// Where a number of the patch lies, from the patch's start.
    @inline(__always)
    private func offset(_ position: Int) -> Int {
        let tap = position / groupChannels
        let y = tap / width.kernel
        return y * height.dilation * imagePitch + (tap - y * width.kernel) * width.dilation * channels
            + (position - tap * groupChannels)
    }

    /// Floats that the kernel takes packed for ``imageGradient(_:_:_:into:accumulate:)``.
    package var packedTransposeCount: Int {
        let columns = Panels.count(depth: 1, columns: groupChannels)
        return height.kernel * width.kernel * groupFilters * columns * groups
    }

    /// For each group and each phase `[row tap, column tap, filter]` panels of channels, taps in reverse.
    package func packTranspose(_ kernel: FloatPointer, into packed: FloatPointer) {
        let panelWidth = Tile.width
        var to = packed
        for group in 0..<groups {
            for top in 0..<height.stride {
                for left in 0..<width.stride {
                    let (rows, columns) = (height.phase(top).taps, width.phase(left).taps)
                    var channel = 0
                    while channel < groupChannels {
                        let count = min(panelWidth, groupChannels - channel)
                        for i in 0..<rows {
                            for j in 0..<columns {
                                let y = top + (rows - 1 - i) * height.stride
                                let x = left + (columns - 1 - j) * width.stride
                                let from =
                                    kernel + ((y * width.kernel + x) * groupChannels + channel) * filters
                                    + group * groupFilters
                                transpose(from, count, into: to)
                                to += groupFilters * panelWidth
                            }
                        }
                        channel += panelWidth
                    }
                }
            }
        }
    }

    /// `count` rows of filters become columns.
    private func transpose(_ from: FloatPointer, _ count: Int, into to: FloatPointer) {
        let panelWidth = Tile.width
        if count == panelWidth {
            for filter in 0..<groupFilters {
                for c in 0..<panelWidth { to[filter * panelWidth + c] = from[c * filters + filter] }
            }
            return
        }
        for filter in 0..<groupFilters {
            for c in 0..<count { to[filter * panelWidth + c] = from[c * filters + filter] }
            (to + filter * panelWidth + count).update(repeating: 0, count: panelWidth - count)
        }
    }

    /// The gradient of one image from that of its output, placed with a border, and the kernel packed transposed.
    package func imageGradient(
        _ gradient: FloatPointer, _ layout: GradientLayout, _ packed: FloatPointer, into imageGradient: FloatPointer,
        accumulate: Bool
    ) {
        let joined = width.dilation == 1 && groups == 1
        let columnsPacked = Panels.count(depth: 1, columns: groupChannels)
        var panels = packed
        for group in 0..<groups {
            for top in 0..<height.stride {
                let y = height.phase(top)
                for left in 0..<width.stride {
                    let x = width.phase(left)
                    let product = PatchProduct(
                        rows: y.count, columns: x.count, fromRow: layout.pitch, fromColumn: filters,
                        toRow: height.stride * width.input * channels, toColumn: width.stride * channels,
                        outer: y.taps, outerStep: height.dilation * layout.pitch, inner: joined ? 1 : x.taps,
                        innerStep: width.dilation * filters, run: joined ? x.taps * filters : groupFilters)
                    // Without taps nothing is read, wherever the pointer points.
                    let row = layout.top + y.first - max(y.taps - 1, 0) * height.dilation
                    let column = layout.left + x.first - max(x.taps - 1, 0) * width.dilation
                    let toRow = top + height.stride * y.first - height.before
                    let toColumn = left + width.stride * x.first - width.before
                    product.multiply(
                        gradient + row * layout.pitch + column * filters + group * groupFilters, panels,
                        channels: groupChannels,
                        into: imageGradient + (toRow * width.input + toColumn) * channels + group * groupChannels,
                        accumulate: accumulate)
                    panels += columnsPacked * y.taps * x.taps * groupFilters
                }
            }
        }
    }
}
