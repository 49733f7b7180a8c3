import CKernels

/// Windows that slide over an image, every channel for itself. A sequence is an image of height 1.
package struct PoolingShape: Hashable, Sendable {
    package let height: ConvolutionShape.Axis
    package let width: ConvolutionShape.Axis
    package let channels: Int

    package init(height: ConvolutionShape.Axis, width: ConvolutionShape.Axis, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    package var inputCount: Int { height.input * width.input * channels }
    package var outputCount: Int { height.output * width.output * channels }

    /// Whether every input lies in one window or in none, and every window within the input.
    package var isPartition: Bool {
        height.stride >= height.kernel && width.stride >= width.kernel && height.before == 0 && width.before == 0
            && height.padded <= height.input && width.padded <= width.input
    }

    /// Whether the windows cover the input.
    package var covers: Bool {
        height.stride <= height.kernel && width.stride <= width.kernel && height.padded >= height.input
            && width.padded >= width.input
    }

    /// The part of a window that lies within the input.
    @inline(__always)
    private func range(_ axis: ConvolutionShape.Axis, _ output: Int) -> Range<Int> {
        let start = output * axis.stride - axis.before
        return max(start, 0)..<min(start + axis.kernel, axis.input)
    }

    /// Calls `body` with each window's rows, columns and place in the output.
    @inline(__always)
    private func windows(_ body: (Range<Int>, Range<Int>, Int) -> Void) {
        for y in 0..<height.output {
            let rows = range(height, y)
            for x in 0..<width.output {
                body(rows, range(width, x), (y * width.output + x) * channels)
            }
        }
    }

    /// The largest of each window; a NaN counts as that.
    package func maximum(_ x: FloatPointer, into y: FloatPointer) {
        windows { rows, columns, output in
            let first = x + (rows.lowerBound * width.input + columns.lowerBound) * channels
            var c = 0
            while c + lanes <= channels {
                var largest = load(first + c)
                for row in rows {
                    var p = x + (row * width.input + columns.lowerBound) * channels + c
                    for _ in columns {
                        largest = mld_maximum(largest, load(p))
                        p += channels
                    }
                }
                store(y + output + c, largest)
                c += lanes
            }
            while c < channels {
                var largest = first[c]
                for row in rows {
                    for column in columns {
                        let value = x[(row * width.input + column) * channels + c]
                        if largest < value || value.isNaN { largest = value }
                    }
                }
                y[output + c] = largest
                c += 1
            }
        }
    }

    /// Gives each window's gradient to its first largest input: writes all of the windows if they do not overlap and
    /// nothing is to be added to, else adds.
    package func maximumGradient(
        _ dy: FloatPointer, x: FloatPointer, y: FloatPointer, into dx: FloatPointer, accumulate: Bool
    ) {
        let zero = Vector(repeating: 0)
        let adds = clear(dx, accumulate: accumulate)
        windows { rows, columns, output in
            var c = 0
            while c + lanes <= channels {
                let largest = load(y + output + c)
                // What has found no taker yet.
                var rest = load(dy + output + c)
                for row in rows {
                    var at = (row * width.input + columns.lowerBound) * channels + c
                    for _ in columns {
                        let part = mld_select_positive(largest - load(x + at), zero, rest)
                        rest -= part
                        store(dx + at, adds ? load(dx + at) + part : part)
                        at += channels
                    }
                }
                c += lanes
            }
            while c < channels {
                let largest = y[output + c]
                var rest = dy[output + c]
                for row in rows {
                    for column in columns {
                        let at = (row * width.input + column) * channels + c
                        let part = largest - x[at] > 0 ? 0 : rest
                        rest -= part
                        dx[at] = adds ? dx[at] + part : part
                    }
                }
                c += 1
            }
        }
    }

    /// The mean of each window's inputs; zeros around the input do not count, as in Keras.
    package func average(_ x: FloatPointer, into y: FloatPointer) {
        windows { rows, columns, output in
            let factor = 1 / Float(rows.count * columns.count)
            var c = 0
            while c + lanes <= channels {
                var sum = Vector(repeating: 0)
                for row in rows {
                    var p = x + (row * width.input + columns.lowerBound) * channels + c
                    for _ in columns {
                        sum += load(p)
                        p += channels
                    }
                }
                store(y + output + c, sum * factor)
                c += lanes
            }
            while c < channels {
                var sum: Float = 0
                for row in rows {
                    for column in columns { sum += x[(row * width.input + column) * channels + c] }
                }
                y[output + c] = sum * factor
                c += 1
            }
        }
    }

    /// Spreads each window's gradient over its inputs.
    package func averageGradient(_ dy: FloatPointer, into dx: FloatPointer, accumulate: Bool) {
        let adds = clear(dx, accumulate: accumulate)
        windows { rows, columns, output in
            let factor = 1 / Float(rows.count * columns.count)
            var c = 0
            while c + lanes <= channels {
                let part = load(dy + output + c) * factor
                for row in rows {
                    var p = dx + (row * width.input + columns.lowerBound) * channels + c
                    for _ in columns {
                        store(p, adds ? load(p) + part : part)
                        p += channels
                    }
                }
                c += lanes
            }
            while c < channels {
                let part = dy[output + c] * factor
                for row in rows {
                    for column in columns {
                        let at = (row * width.input + column) * channels + c
                        dx[at] = adds ? dx[at] + part : part
                    }
                }
                c += 1
            }
        }
    }

    /// Zeroes what no window writes, or all that windows add to.
    ///
    /// - Returns: whether the windows add.
    private func clear(_ dx: FloatPointer, accumulate: Bool) -> Bool {
        if accumulate { return true }
        if !isPartition || !covers { dx.update(repeating: 0, count: inputCount) }
        return !isPartition
    }
}
