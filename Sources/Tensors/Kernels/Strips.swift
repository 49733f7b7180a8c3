/// A right operand for ``multiply(strip:rowStride:step:rows:depth:_:columns:into:strideC:)``: rows of columns, or panels of them one after the
/// other.
package struct Strips {
    let base: FloatPointer
    /// Floats from one row to the next, and from one ``Tile/width`` columns to the next.
    let stride: Int
    let panelStride: Int

    /// A row-major matrix where it lies. Its last row must be readable up to a multiple of ``Tile/width`` columns; what
    /// stands behind the columns does not matter.
    package init(_ base: FloatPointer, stride: Int) {
        self.base = base
        self.stride = stride
        panelStride = Tile.width
    }

    package init(_ panels: Panels) {
        base = panels.base
        stride = Tile.width
        panelStride = Tile.width * panels.depth
    }
}

/// `c = a b` for a strip of at most ``Tile/rows`` rows: the product that attention is made of, which takes less than the
/// whole operands where the rest is known to be zero.
///
/// - Parameters:
///   - strip: `a[row][k]` is `strip[row rowStride + k step]`, so that the operand may be read transposed.
///   - depth: rows of `b` to use.
///   - columns: of `b` to use.
package func multiply(
    strip a: FloatPointer, rowStride: Int, step: Int, rows: Int, depth: Int, _ b: Strips, columns: Int,
    into c: FloatPointer, strideC: Int
) {
    let last = rows - 1
    let operand = Tile.Rows(
        p0: a, p1: a + min(1, last) * rowStride, p2: a + min(2, last) * rowStride, p3: a + min(3, last) * rowStride,
        p4: a + min(4, last) * rowStride, p5: a + min(5, last) * rowStride)
    var panel = b.base
    var column = 0
    while column < columns {
        var tile = Tile()
        if step == 1 {
            tile.add(operand, step: 1, panel, depth: depth, panelStride: b.stride)
        } else {
            tile.add(operand, step: step, panel, depth: depth, panelStride: b.stride)
        }
        tile.store(
            c + column, stride: strideC, rows: rows, columns: min(Tile.width, columns - column), accumulate: false)
        column += Tile.width
        panel += b.panelStride
    }
}
