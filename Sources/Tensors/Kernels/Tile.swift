import CKernels

/// The register tile that every small product and every convolution is made of: 6 rows of the left operand against a
/// panel of ``width`` columns of the right one, which is two vectors. So 12 sums run side by side, enough to hide the
/// latency of a fused multiply-add on the processors this is built for, with registers to spare for the operands.
package struct Tile {
    package static let rows = 6
    @inlinable package static var width: Int { 2 * lanes }

    var c00 = Vector(repeating: 0), c01 = Vector(repeating: 0)
    var c10 = Vector(repeating: 0), c11 = Vector(repeating: 0)
    var c20 = Vector(repeating: 0), c21 = Vector(repeating: 0)
    var c30 = Vector(repeating: 0), c31 = Vector(repeating: 0)
    var c40 = Vector(repeating: 0), c41 = Vector(repeating: 0)
    var c50 = Vector(repeating: 0), c51 = Vector(repeating: 0)

    /// Where the six rows of the left operand start. Rows may repeat: what is computed twice is stored once.
    struct Rows {
        var p0: FloatPointer, p1: FloatPointer, p2: FloatPointer
        var p3: FloatPointer, p4: FloatPointer, p5: FloatPointer

        @inline(__always)
        func moved(_ by: Int) -> Rows {
            Rows(p0: p0 + by, p1: p1 + by, p2: p2 + by, p3: p3 + by, p4: p4 + by, p5: p5 + by)
        }
    }

    @inline(__always) init() {}

    /// Every row starts as these two vectors: a bias.
    @inline(__always)
    init(_ b0: Vector, _ b1: Vector) {
        (c00, c10, c20, c30, c40, c50) = (b0, b0, b0, b0, b0, b0)
        (c01, c11, c21, c31, c41, c51) = (b1, b1, b1, b1, b1, b1)
    }

    /// Adds `sum over k < depth of a[row][k step] panel[k][column]`.
    @inline(__always)
    mutating func add(_ a: Rows, step: Int, _ panel: FloatPointer, depth: Int, panelStride: Int) {
        var k = 0
        var b = panel
        for _ in 0..<depth {
            let (b0, b1) = (load(b), load(b + lanes))
            b += panelStride
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
            let x4 = Vector(repeating: a.p4[k])
            c40 = mld_fma(x4, b0, c40)
            c41 = mld_fma(x4, b1, c41)
            let x5 = Vector(repeating: a.p5[k])
            c50 = mld_fma(x5, b0, c50)
            c51 = mld_fma(x5, b1, c51)
            k += step
        }
    }

    /// Writes (or adds) `rows` of the six rows to `c`, `columns` of the tile's columns.
    @inline(__always)
    func store(_ c: FloatPointer, stride: Int, rows: Int, columns: Int, accumulate: Bool) {
        put(c00, c01, c, columns, accumulate)
        if rows > 1 { put(c10, c11, c + stride, columns, accumulate) }
        if rows > 2 { put(c20, c21, c + 2 * stride, columns, accumulate) }
        if rows > 3 { put(c30, c31, c + 3 * stride, columns, accumulate) }
        if rows > 4 { put(c40, c41, c + 4 * stride, columns, accumulate) }
        if rows > 5 { put(c50, c51, c + 5 * stride, columns, accumulate) }
    }

    /// The same with a place for each row.
    @inline(__always)
    func store(_ c: Rows, rows: Int, columns: Int, accumulate: Bool) {
        put(c00, c01, c.p0, columns, accumulate)
        if rows > 1 { put(c10, c11, c.p1, columns, accumulate) }
        if rows > 2 { put(c20, c21, c.p2, columns, accumulate) }
        if rows > 3 { put(c30, c31, c.p3, columns, accumulate) }
        if rows > 4 { put(c40, c41, c.p4, columns, accumulate) }
        if rows > 5 { put(c50, c51, c.p5, columns, accumulate) }
    }

    /// Takes the larger of each number and 0; a NaN stays one.
    @inline(__always)
    mutating func clamp() {
        let zero = Vector(repeating: 0)
        (c00, c01) = (mld_max(c00, zero), mld_max(c01, zero))
        (c10, c11) = (mld_max(c10, zero), mld_max(c11, zero))
        (c20, c21) = (mld_max(c20, zero), mld_max(c21, zero))
        (c30, c31) = (mld_max(c30, zero), mld_max(c31, zero))
        (c40, c41) = (mld_max(c40, zero), mld_max(c41, zero))
        (c50, c51) = (mld_max(c50, zero), mld_max(c51, zero))
    }

    @inline(__always)
    private func put(_ v0: Vector, _ v1: Vector, _ c: FloatPointer, _ columns: Int, _ accumulate: Bool) {
        if columns >= Tile.width {
            if accumulate {
                Tensors.store(c, load(c) + v0)
                Tensors.store(c + lanes, load(c + lanes) + v1)
            } else {
                Tensors.store(c, v0)
                Tensors.store(c + lanes, v1)
            }
            return
        }
        putPart(v0, c, min(columns, lanes), accumulate)
        if columns > lanes { putPart(v1, c + lanes, columns - lanes, accumulate) }
    }

    @inline(never)
    private func putPart(_ v: Vector, _ c: FloatPointer, _ columns: Int, _ accumulate: Bool) {
        let old = accumulate ? load(c, count: columns) : Vector(repeating: 0)
        Tensors.store(c, old + v, count: columns)
    }
}

extension Tile.Rows {
    /// Six rows with so many floats from one to the next.
    @inline(__always)
    init(_ first: FloatPointer, step: Int) {
        self.init(
            p0: first, p1: first + step, p2: first + 2 * step, p3: first + 3 * step, p4: first + 4 * step,
            p5: first + 5 * step)
    }
}
