import CKernels

/// Kernels of batch normalisation: over the rows of `[rows][columns]`, each column for itself.
package enum ChannelStatistics {
    /// Rows whose sums are made in the cache, and with few roundings.
    static let block = 128

    /// Mean and (population) variance of each column. Blocks of rows are summed in two passes and joined as in Chan,
    /// Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979, so that a
    /// large mean does not swallow a small variance.
    ///
    /// - Parameter scratch: room for two rows.
    package static func moments(
        _ x: FloatPointer, rows: Int, columns: Int, mean: FloatPointer, variance: FloatPointer, scratch: FloatPointer
    ) {
        let blockMean = scratch
        let blockSquares = scratch + columns
        mean.update(repeating: 0, count: columns)
        variance.update(repeating: 0, count: columns)
        var done = 0
        while done < rows {
            let count = min(block, rows - done)
            let from = x + done * columns
            blockMean.update(repeating: 0, count: columns)
            addRowSums(from, rows: count, columns: columns, into: blockMean)
            for j in 0..<columns { blockMean[j] *= 1 / Float(count) }
            squares(from, rows: count, columns: columns, around: blockMean, into: blockSquares)
            let part = Float(count) / Float(done + count)
            for j in 0..<columns {
                let delta = blockMean[j] - mean[j]
                mean[j] += delta * part
                variance[j] += blockSquares[j] + delta * delta * (Float(done) * part)
            }
            done += count
        }
        for j in 0..<columns { variance[j] /= Float(rows) }
    }

    private static func squares(
        _ x: FloatPointer, rows: Int, columns: Int, around mean: FloatPointer, into sums: FloatPointer
    ) {
        var column = 0
        while column + lanes <= columns {
            let m = load(mean + column)
            var (s0, s1) = (Vector(repeating: 0), Vector(repeating: 0))
            var p = x + column
            for _ in 0..<(rows / 2) {
                let d0 = load(p) - m
                let d1 = load(p + columns) - m
                s0 = mld_fma(d0, d0, s0)
                s1 = mld_fma(d1, d1, s1)
                p += 2 * columns
            }
            if rows % 2 == 1 {
                let d = load(p) - m
                s0 = mld_fma(d, d, s0)
            }
            store(sums + column, s0 + s1)
            column += lanes
        }
        while column < columns {
            var sum: Float = 0
            for row in 0..<rows {
                let d = x[row * columns + column] - mean[column]
                sum += d * d
            }
            sums[column] = sum
            column += 1
        }
    }

    /// `y = x scale + shift`, and the larger of that and 0 if asked for.
    package static func affine(
        _ x: FloatPointer, rows: Int, columns: Int, scale: FloatPointer, shift: FloatPointer, into y: FloatPointer,
        relu: Bool
    ) {
        let zero = Vector(repeating: 0)
        for row in 0..<rows {
            let (from, to) = (x + row * columns, y + row * columns)
            var j = 0
            while j + lanes <= columns {
                let v = mld_fma(load(from + j), load(scale + j), load(shift + j))
                store(to + j, relu ? mld_max(v, zero) : v)
                j += lanes
            }
            while j < columns {
                let v = from[j] * scale[j] + shift[j]
                to[j] = relu && v < 0 ? 0 : v
                j += 1
            }
        }
    }

    /// Adds to `sums` the sum of `dy` of each column, and to `products` that of `dy (x - mean)`.
    ///
    /// - Parameter y: if given, `dy` is first set to 0 where `y` is not positive: the gradient of a relu.
    package static func addGradientSums(
        _ dy: FloatPointer, x: FloatPointer, y: FloatPointer?, rows: Int, columns: Int, mean: FloatPointer,
        sums: FloatPointer, products: FloatPointer
    ) {
        let zero = Vector(repeating: 0)
        var column = 0
        while column + lanes <= columns {
            let m = load(mean + column)
            var (s, t) = (Vector(repeating: 0), Vector(repeating: 0))
            for row in 0..<rows {
                let at = row * columns + column
                var d = load(dy + at)
                if let y {
                    d = mld_select_positive(load(y + at), d, zero)
                    store(dy + at, d)
                }
                s += d
                t = mld_fma(d, load(x + at) - m, t)
            }
            store(sums + column, load(sums + column) + s)
            store(products + column, load(products + column) + t)
            column += lanes
        }
        while column < columns {
            var (s, t): (Float, Float) = (0, 0)
            for row in 0..<rows {
                let at = row * columns + column
                if let y, !(y[at] > 0) { dy[at] = 0 }
                s += dy[at]
                t += dy[at] * (x[at] - mean[column])
            }
            sums[column] += s
            products[column] += t
            column += 1
        }
    }

    /// The two sums over all rows, block by block.
    package static func gradientSums(
        _ dy: FloatPointer, x: FloatPointer, y: FloatPointer?, rows: Int, columns: Int, mean: FloatPointer,
        sums: FloatPointer, products: FloatPointer
    ) {
        sums.update(repeating: 0, count: columns)
        products.update(repeating: 0, count: columns)
        var done = 0
        while done < rows {
            let count = min(block, rows - done)
            let at = done * columns
            addGradientSums(
                dy + at, x: x + at, y: y.map { $0 + at }, rows: count, columns: columns, mean: mean, sums: sums,
                products: products)
            done += count
        }
    }

    /// `dx = dy a + x b + c`, or `dx += ...`.
    package static func inputGradient(
        _ dy: FloatPointer, x: FloatPointer, rows: Int, columns: Int, a: FloatPointer, b: FloatPointer,
        c: FloatPointer, into dx: FloatPointer, accumulate: Bool
    ) {
        for row in 0..<rows {
            let at = row * columns
            var j = 0
            while j + lanes <= columns {
                var v = mld_fma(load(dy + at + j), load(a + j), mld_fma(load(x + at + j), load(b + j), load(c + j)))
                if accumulate { v += load(dx + at + j) }
                store(dx + at + j, v)
                j += lanes
            }
            while j < columns {
                let v = dy[at + j] * a[j] + x[at + j] * b[j] + c[j]
                dx[at + j] = accumulate ? dx[at + j] + v : v
                j += 1
            }
        }
    }
}
