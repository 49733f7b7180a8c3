import CKernels

extension Winograd {
    /// The sum over `rows` images: `G' [sum over tiles of (B' d B) * (A dy A')] G`, overwriting.
    package func kernelGradient(
        _ images: FloatPointer, _ gradients: FloatPointer, rows: Int, into kernelGradient: FloatPointer,
        scratch: FloatPointer
    ) {
        typealias T = WinogradTransforms
        let plane = forwardPlane
        let (channels, filters) = (shape.channels, shape.filters)
        let u = scratch
        let tiles = rows * plane.tiles
        for first in stride(from: 0, to: tiles, by: block) {
            let block = block(scratch, from: channels, to: filters, first: first, tiles: tiles)
            transformInputs(images, plane, channels: channels, block)
            transformGradients(gradients, plane, block)
            for k in 0..<Winograd.products {
                addProduct(
                    block.v + k * block.step(channels), block.m + k * block.step(filters), count: block.count,
                    into: u + k * sumStep, accumulate: first > 0)
            }
        }
        // G' u G.
        let n = square
        let step = sumStep
        for i in stride(from: 0, to: n, by: lanes) {
            for column in 0..<Winograd.reach {
                // Down the columns, into u's first three rows.
                let at = u + column * step + i
                let g = T.kernelGradient(T.six(at, Winograd.reach * step))
                store(at, g.0)
                store(at + Winograd.reach * step, g.1)
                store(at + 2 * Winograd.reach * step, g.2)
            }
            for row in 0..<3 {
                let g = T.kernelGradient(T.six(u + row * Winograd.reach * step + i, step))
                let to = kernelGradient + row * 3 * n + i
                store(to, g.0)
                store(to + n, g.1)
                store(to + 2 * n, g.2)
            }
        }
    }

    /// `u [channels][filters] += v' m` with `v [count][channels]` and `m [count][filters]`, or `=`.
    private func addProduct(
        _ v: FloatPointer, _ m: FloatPointer, count: Int, into u: FloatPointer, accumulate: Bool
    ) {
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
                    columns: min(Tile.width, filters - filter), accumulate: accumulate)
                channel += Tile.rows
            }
            filter += Tile.width
        }
    }
}
