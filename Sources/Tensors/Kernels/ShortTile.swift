import CKernels

/// A ``Tile`` of 4 rows, for what is left over: 8 sums side by side are just enough to hide the latency of a fused
/// multiply-add, so with both tiles a product of any even number of rows from 4 on wastes nothing.
struct ShortTile {
    static let rows = 4

    private var c00 = Vector(repeating: 0), c01 = Vector(repeating: 0)
    private var c10 = Vector(repeating: 0), c11 = Vector(repeating: 0)
    private var c20 = Vector(repeating: 0), c21 = Vector(repeating: 0)
    private var c30 = Vector(repeating: 0), c31 = Vector(repeating: 0)

    @inline(__always) init() {}

    /// Adds `sum over k < depth of a[row][k] panel[k][column]`; of the rows, the first four count.
    @inline(__always)
    mutating func add(_ a: Tile.Rows, _ panel: FloatPointer, depth: Int) {
        var b = panel
        for k in 0..<depth {
            let (b0, b1) = (load(b), load(b + lanes))
            b += Tile.width
            let x0 = Vector(repeating: a.p0[k])
            c00 = mld_fma(x0, b0, c00)
            c01 = mld_fma(x0, b1, c01)
            let x1 = Vector(repeating: a.p1[k])
            c10 = mld_fma(x1, b0, c10)
            c11 = mld_fma(x1, b1, c11)
            let x2 = Vector(repeating: a.p2[k])
            c20 = mld_fma(x2, b0, c20)
            c21 = mld_fma(x2, b1, c21)
            let x3 = Vector(repeating: a.p3[k])
            c30 = mld_fma(x3, b0, c30)
            c31 = mld_fma(x3, b1, c31)
        }
    }

    /// The same as a tile whose last two rows are empty.
    @inline(__always) var tile: Tile {
        var tile = Tile()
        (tile.c00, tile.c01, tile.c10, tile.c11) = (c00, c01, c10, c11)
        (tile.c20, tile.c21, tile.c30, tile.c31) = (c20, c21, c30, c31)
        return tile
    }
}
