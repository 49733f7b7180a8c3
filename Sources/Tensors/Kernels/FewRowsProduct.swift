/// `c = a' b` of two matrices of few rows, `a [depth][rows]` and `b [depth][columns]`: what the gradient of a dense layer's
/// kernel is. The result is large and its numbers are short sums, so that what counts is to write each of them once; the
/// library zeroes them first and then adds.
package struct FewRowsProduct: Sendable {
    /// Rows of `c` that stay in the cache while the panels of `b` pass.
    private static let block = 16 * Tile.rows

    /// At most, for one call.
    let depth: Int
    let rows: Int
    let columns: Int

    package init(depth: Int, rows: Int, columns: Int) {
        self.depth = depth
        self.rows = rows
        self.columns = columns
    }

    /// Whether the library would be slower: it is not where its kernels have twice the lanes, or with results that fit
    /// the cache, or with long sums.
    package var pays: Bool { lanes >= 8 && depth <= 128 && rows * columns >= 1 << 16 }

    /// Floats of scratch.
    package var scratchCount: Int { Panels.count(depth: depth, columns: columns) + FewRowsProduct.block * depth }

    /// - Parameter depth: of the two operands, this time.
    package func multiply(
        _ a: FloatPointer, _ b: FloatPointer, depth: Int, into c: FloatPointer, scratch: FloatPointer
    ) {
        Panels(scratch, depth: depth, columns: columns).pack(MatrixView(b, rows: depth, columns: columns))
        let strips = scratch + Panels.count(depth: depth, columns: columns)
        for first in stride(from: 0, to: rows, by: FewRowsProduct.block) {
            let count = min(FewRowsProduct.block, rows - first)
            pack(a + first, count, depth, into: strips)
            var panel = scratch
            for column in stride(from: 0, to: columns, by: Tile.width) {
                tiles(
                    strips, panel, depth, into: c + first * columns + column, rows: count,
                    width: min(Tile.width, columns - column))
                panel += Tile.width * depth
            }
        }
    }

    /// Columns of `a`, six side by side; those missing from the last six are not made use of.
    private func pack(_ a: FloatPointer, _ count: Int, _ depth: Int, into strips: FloatPointer) {
        var to = strips
        for first in stride(from: 0, to: count, by: Tile.rows) {
            var from = a + first
            for _ in 0..<depth {
                if count - first >= Tile.rows {
                    (to[0], to[1], to[2]) = (from[0], from[1], from[2])
                    (to[3], to[4], to[5]) = (from[3], from[4], from[5])
                } else {
                    for i in 0..<(count - first) { to[i] = from[i] }
                }
                to += Tile.rows
                from += rows
            }
        }
    }

    // Inlined, the compiler keeps the tile on the stack.
    @inline(never)
    private func tiles(
        _ strips: FloatPointer, _ panel: FloatPointer, _ depth: Int, into c: FloatPointer, rows count: Int, width: Int
    ) {
        var (from, to) = (strips, c)
        for row in stride(from: 0, to: count, by: Tile.rows) {
            var tile = Tile()
            tile.add(Tile.Rows(from, step: 1), step: Tile.rows, panel, depth: depth, panelStride: Tile.width)
            tile.store(to, stride: columns, rows: count - row, columns: width, accumulate: false)
            from += Tile.rows * depth
            to += Tile.rows * columns
        }
    }
}
