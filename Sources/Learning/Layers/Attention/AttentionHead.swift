import CKernels
import Tensors

/// One head of one sample: matrices of ``AttentionSizes/keyDim`` columns, ``AttentionSizes/width`` floats from row to row.
struct AttentionHead {
    /// `[T]`
    let queries: FloatPointer
    /// `[S]`
    let keys: FloatPointer
    let values: FloatPointer
    /// `[T]`: the mean of the values that each query sees.
    let context: FloatPointer
    /// `[T][stride]`
    let probabilities: FloatPointer

    struct Gradients {
        let context: FloatPointer
        let queries: FloatPointer
        let keys: FloatPointer
        let values: FloatPointer
        /// Scratch: `[T][stride]`.
        let scores: FloatPointer
    }
}

/// What attention computes with, and the arithmetic of a single head, in strips of as many queries as a ``Tile`` has rows.
/// With a causal mask a strip takes only the keys up to its last query.
struct AttentionSizes {
    /// T
    let queries: Int
    /// S
    let keys: Int
    let heads: Int
    let keyDim: Int
    let width: Int
    /// Floats from one query's probabilities to the next: whole vectors, so that rows have no remainder.
    let stride: Int
    let scale: Float

    init(queries: Int, keys: Int, heads: Int, keyDim: Int) {
        self.queries = queries
        self.keys = keys
        self.heads = heads
        self.keyDim = keyDim
        width = heads * keyDim
        stride = FloatBuffer.aligned(keys)
        scale = 1 / Float(keyDim).squareRoot()
    }

    /// Room for a head's keys or values, rearranged.
    var packedCount: Int { Panels.count(depth: keyDim, columns: keys) }

    /// Writes 1 for each key that is to be seen, else 0.
    ///
    /// - Parameter tokens: of the keys, where 0 is padding; nil if all are real.
    /// - Returns: the first that is to be seen; ``keys`` if none is.
    func writeVisible(_ tokens: FloatPointer?, into visible: FloatPointer) -> Int {
        visible.update(repeating: 1, count: stride)
        guard let tokens else { return 0 }
        var first = keys
        for key in (0..<keys).reversed() {
            if tokens[key] == 0 { visible[key] = 0 } else { first = key }
        }
        return first
    }

    func forward(
        _ head: AttentionHead, visible: FloatPointer, firstVisible: Int, isCausal: Bool, packed: FloatPointer
    ) {
        let panels = pack(head.keys, into: packed)
        var start = 0
        while start < queries {
            let rows = min(Tile.rows, queries - start)
            let reach = isCausal ? min(start + Tile.rows, keys) : keys
            let p = head.probabilities + start * stride
            multiply(
                strip: head.queries + start * width, rowStride: width, step: 1, rows: rows, depth: keyDim, panels,
                columns: reach, into: p, strideC: stride)
            for row in 0..<rows {
                softmax(
                    p + row * stride, count: isCausal ? min(start + row + 1, keys) : keys, reach: reach,
                    visible: visible, firstVisible: firstVisible)
            }
            multiply(
                strip: p, rowStride: stride, step: 1, rows: rows, depth: reach, Strips(head.values, stride: width),
                columns: keyDim, into: head.context + start * width, strideC: width)
            start += Tile.rows
        }
    }

    /// With `P` the probabilities and `dP = dC V'`: `dS = P (dP - sum(dP P)) scale`, `dQ = dS K`, `dK = dS' Q`, `dV = P' dC`.
    func backward(_ head: AttentionHead, _ gradients: AttentionHead.Gradients, isCausal: Bool, packed: FloatPointer) {
        let panels = pack(head.values, into: packed)
        var start = 0
        while start < queries {
            let rows = min(Tile.rows, queries - start)
            let reach = isCausal ? min(start + Tile.rows, keys) : keys
            let d = gradients.scores + start * stride
            multiply(
                strip: gradients.context + start * width, rowStride: width, step: 1, rows: rows, depth: keyDim, panels,
                columns: reach, into: d, strideC: stride)
            for row in 0..<rows {
                differentiateSoftmax(
                    head.probabilities + (start + row) * stride, d + row * stride, reach: reach)
            }
            multiply(
                strip: d, rowStride: stride, step: 1, rows: rows, depth: reach, Strips(head.keys, stride: width),
                columns: keyDim, into: gradients.queries + start * width, strideC: width)
            start += Tile.rows
        }
        start = 0
        while start < keys {
            let rows = min(Tile.rows, keys - start)
            // The first query that sees one of these keys.
            let first = isCausal ? start : 0
            let places = (from: first * width, to: start * width, matrix: first * stride + start)
            multiply(
                strip: head.probabilities + places.matrix, rowStride: 1, step: stride, rows: rows,
                depth: queries - first, Strips(gradients.context + places.from, stride: width), columns: keyDim,
                into: gradients.values + places.to, strideC: width)
            multiply(
                strip: gradients.scores + places.matrix, rowStride: 1, step: stride, rows: rows,
                depth: queries - first, Strips(head.queries + places.from, stride: width), columns: keyDim,
                into: gradients.keys + places.to, strideC: width)
            start += Tile.rows
        }
    }

    /// The transpose of a head's keys or values `[S][keyDim]`, rearranged.
    private func pack(_ matrix: FloatPointer, into packed: FloatPointer) -> Strips {
        let panels = Panels(packed, depth: keyDim, columns: keys)
        panels.pack(MatrixView(matrix, rows: keys, columns: keyDim, stride: width).transposed)
        return Strips(panels)
    }

    /// Whole vectors that hold `reach` probabilities.
    @inline(__always)
    private func end(_ reach: Int) -> Int { min((reach + lanes - 1) / lanes * lanes, stride) }

    /// In place: of the first `count` scores that are visible the softmax, 0 in the rest of the vectors that hold `reach`.
    private func softmax(
        _ p: FloatPointer, count: Int, reach: Int, visible: FloatPointer, firstVisible: Int
    ) {
        let end = end(reach)
        if firstVisible >= count { return p.update(repeating: 0, count: end) }
        let hidden = Vector(repeating: -.infinity)
        for j in count..<end { p[j] = -.infinity }
        var largest = hidden
        for j in Swift.stride(from: 0, to: end, by: lanes) {
            let score = mld_select_positive(load(visible + j), load(p + j) * scale, hidden)
            largest = mld_max(largest, score)
            store(p + j, score)
        }
        let shift = Vector(repeating: mld_largest(largest))
        var sum = Vector(repeating: 0)
        for j in Swift.stride(from: 0, to: end, by: lanes) {
            // What is hidden would get the least power there is, so it is made 0.
            let power = mld_select_positive(load(visible + j), mld_exp(load(p + j) - shift), Vector(repeating: 0))
            sum += power
            store(p + j, power)
        }
        let factor = Vector(repeating: 1 / laneSum(sum))
        for j in Swift.stride(from: 0, to: end, by: lanes) { store(p + j, load(p + j) * factor) }
        for j in count..<end { p[j] = 0 }
    }

    /// In place, from the gradient of the probabilities that of the scores.
    private func differentiateSoftmax(_ p: FloatPointer, _ d: FloatPointer, reach: Int) {
        let end = end(reach)
        for j in reach..<end { d[j] = 0 }
        var sum = Vector(repeating: 0)
        for j in Swift.stride(from: 0, to: end, by: lanes) { sum = mld_fma(load(p + j), load(d + j), sum) }
        let dot = Vector(repeating: laneSum(sum))
        for j in Swift.stride(from: 0, to: end, by: lanes) {
            store(d + j, load(p + j) * (load(d + j) - dot) * scale)
        }
    }
}
