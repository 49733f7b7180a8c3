import CKernels

extension Winograd {
    /// The sum over `rows` images: `G' [sum over tiles of (B' d B) * (A dy A')] G`, overwriting.
    package func kernelGradient(
        _ images: FloatPointer, _ gradients: FloatPointer, rows: Int, into kernelGradient: FloatPointer,
        scratch: FloatPointer
    ) {
        let plane = forwardPlane
        let (channels, filters) = (shape.channels, shape.filters)
        let u = scratch
        let v = u + 16 * square
        let m = v + 16 * block * channels
        let patch = m + 16 * block * filters
        u.update(repeating: 0, count: 16 * square)
        var first = 0
        while first < rows * plane.tiles {
            let count = min(block, rows * plane.tiles - first)
            transformInputs(images, plane, channels: channels, first: first, count: count, into: v, patch: patch)
            transformGradients(gradients, plane, first: first, count: count, into: m)
            for k in 0..<16 {
                addProduct(v + k * count * channels, m + k * count * filters, count: count, into: u + k * square)
            }
            first += count
        }
        // G' u G.
        let n = square
        for i in stride(from: 0, to: n, by: lanes) {
            @inline(__always)
            func column(_ x: Int) -> (Vector, Vector, Vector) {
                let p = u + x * n + i
                let (u0, u1, u2, u3) = (load(p), load(p + 4 * n), load(p + 8 * n), load(p + 12 * n))
                let sum = (u1 + u2) * 0.5
                return (u0 + sum, (u1 - u2) * 0.5, sum + u3)
            }
            @inline(__always)
            func put(_ row: Int, _ g0: Vector, _ g1: Vector, _ g2: Vector, _ g3: Vector) {
                let p = kernelGradient + row * 3 * n + i
                let sum = (g1 + g2) * 0.5
                store(p, g0 + sum)
                store(p + n, (g1 - g2) * 0.5)
                store(p + 2 * n, sum + g3)
            }
            let (c0, c1, c2, c3) = (column(0), column(1), column(2), column(3))
            put(0, c0.0, c1.0, c2.0, c3.0)
            put(1, c0.1, c1.1, c2.1, c3.1)
            put(2, c0.2, c1.2, c2.2, c3.2)
        }
    }

    /// `A dy A'` of `count` tiles, `[16][count][filters]`.
    private func transformGradients(
        _ gradients: FloatPointer, _ plane: Plane, first: Int, count: Int, into m: FloatPointer
    ) {
        let filters = shape.filters
        let step = count * filters
        let zero = Vector(repeating: 0)
        for t in 0..<count {
            let (image, tile) = (first + t).quotientAndRemainder(dividingBy: plane.tiles)
            let (tileRow, tileColumn) = tile.quotientAndRemainder(dividingBy: plane.tileColumns)
            let (y, x) = (2 * tileRow, 2 * tileColumn)
            let from = gradients + ((image * plane.outputHeight + y) * plane.outputWidth + x) * filters
            let pitch = plane.outputWidth * filters
            let (below, beside) = (y + 1 < plane.outputHeight, x + 1 < plane.outputWidth)
            var c = 0
            while c < filters {
                let d00 = load(from + c)
                let d01 = beside ? load(from + filters + c) : zero
                let d10 = below ? load(from + pitch + c) : zero
                let d11 = below && beside ? load(from + pitch + filters + c) : zero
                let p = m + t * filters + c
                @inline(__always)
                func row(_ at: Int, _ r0: Vector, _ r1: Vector) {
                    let q = p + at * 4 * step
                    store(q, r0)
                    store(q + step, r0 + r1)
                    store(q + 2 * step, r0 - r1)
                    store(q + 3 * step, zero - r1)
                }
                row(0, d00, d01)
                row(1, d00 + d10, d01 + d11)
                row(2, d00 - d10, d01 - d11)
                row(3, zero - d10, zero - d11)
                c += lanes
            }
        }
    }

    /// `u [channels][filters] += v' m` with `v [count][channels]` and `m [count][filters]`.
    private func addProduct(_ v: FloatPointer, _ m: FloatPointer, count: Int, into u: FloatPointer) {
        let (channels, filters) = (shape.channels, shape.filters)
        var filter = 0
        while filter < filters {
            var channel = 0
            while channel < channels {
                let rows = min(Tile.rows, channels - channel)
                let p = v + channel
                var tile = Tile()
                tile.add(
                    Tile.Rows(
                        p0: p, p1: p + min(1, rows - 1), p2: p + min(2, rows - 1), p3: p + min(3, rows - 1),
                        p4: p + min(4, rows - 1), p5: p + min(5, rows - 1)), step: channels, m + filter,
                    depth: count, panelStride: filters)
                tile.store(
                    u + channel * filters + filter, stride: filters, rows: rows,
                    columns: min(Tile.width, filters - filter), accumulate: true)
                channel += Tile.rows
            }
            filter += Tile.width
        }
    }
}
