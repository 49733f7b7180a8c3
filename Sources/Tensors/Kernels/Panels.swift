/// A matrix rearranged for ``Tile``: panels of ``Tile/width`` columns, each `[depth][width]`, the last one filled up with
/// zeros. The memory is the caller's.
package struct Panels {
    package let base: FloatPointer
    package let depth: Int
    package let columns: Int

    package init(_ base: FloatPointer, depth: Int, columns: Int) {
        self.base = base
        self.depth = depth
        self.columns = columns
    }

    /// Floats that a packed `depth` by `columns` matrix takes.
    package static func count(depth: Int, columns: Int) -> Int {
        (columns + Tile.width - 1) / Tile.width * Tile.width * depth
    }

    /// Copies a matrix in, which may be read transposed.
    package func pack(_ matrix: MatrixView) {
        let width = Tile.width
        for panel in 0..<((columns + width - 1) / width) {
            let first = panel * width
            let count = min(width, columns - first)
            let to = base + panel * width * depth
            if matrix.isTransposed {
                for j in 0..<count {
                    let from = matrix.base + (first + j) * matrix.stride
                    for k in 0..<depth { to[k * width + j] = from[k] }
                }
            } else {
                for k in 0..<depth {
                    (to + k * width).update(from: matrix.base + k * matrix.stride + first, count: count)
                }
            }
            if count < width {
                for k in 0..<depth { (to + k * width + count).update(repeating: 0, count: width - count) }
            }
        }
    }
}

/// `c = a b`, or `c += a b`, with the right operand packed before: for the products of each step in time, which are
/// too small for a library call to pay.
///
/// `a [rows][b.depth]` with `strideA` floats from one row to the next, `c [rows][b.columns]` with `strideC`.
package func multiply(
    _ a: FloatPointer, strideA: Int, rows: Int, _ b: Panels, into c: FloatPointer, strideC: Int,
    accumulate: Bool = false
) {
    let width = Tile.width
    var panel = b.base
    var column = 0
    while column < b.columns {
        let columns = min(width, b.columns - column)
        var row = 0
        while row < rows {
            let left = rows - row
            // Tiles of 6 and of 4 rows, so chosen that as few rows as can be are computed in vain.
            let isShort = left <= ShortTile.rows || left == 7 || left == 8
            let count = min(isShort ? ShortTile.rows : Tile.rows, left)
            let p = a + row * strideA
            let from = Tile.Rows(
                p0: p, p1: p + min(1, count - 1) * strideA, p2: p + min(2, count - 1) * strideA,
                p3: p + min(3, count - 1) * strideA, p4: p + min(4, count - 1) * strideA,
                p5: p + min(5, count - 1) * strideA)
            let to = c + row * strideC + column
            if isShort {
                var tile = ShortTile()
                tile.add(from, panel, depth: b.depth)
                tile.tile.store(to, stride: strideC, rows: count, columns: columns, accumulate: accumulate)
            } else {
                var tile = Tile()
                tile.add(from, step: 1, panel, depth: b.depth, panelStride: width)
                tile.store(to, stride: strideC, rows: count, columns: columns, accumulate: accumulate)
            }
            row += count
        }
        column += width
        panel += width * b.depth
    }
}
