import CKernels
import Tensors

/// What a loss makes of outputs and targets of the same size, each pair on its own.
protocol ElementwiseLoss: Sendable {
    /// For outputs `z` and targets `t`: the losses, their derivatives by `z`, and 1 for each hit.
    func evaluate(_ z: Vector, _ t: Vector) -> ElementwiseResult
}

struct ElementwiseResult {
    var loss: Vector
    var gradient: Vector
    var hits: Vector
}

/// Runs a loss over all elements; those whose target is `ignored` have no loss, gradient and hits.
struct ElementwiseStep<Function: ElementwiseLoss>: LossStep {
    let function: Function
    let output: Slot
    let gradient: Slot
    /// In one sample.
    let count: Int
    let ignored: Float?

    /// Elements whose sum single precision may hold.
    private static var block: Int { 1024 }

    func run(_ frame: Frame, targets: FloatPointer, scale: Float, totals: inout Totals) {
        let total = frame.rows * count
        let z = frame[output]
        let dz = frame[gradient]
        totals.samples += frame.rows
        if ignored == nil { totals.positions += total }
        var start = 0
        while start < total {
            let end = min(start + Self.block, total)
            var (loss, hits, counted) = (Vector(repeating: 0), Vector(repeating: 0), Vector(repeating: 0))
            var i = start
            while i < end {
                let lanesHere = min(lanes, end - i)
                let isWhole = lanesHere == lanes
                let y = isWhole ? load(z + i) : load(z + i, count: lanesHere)
                let t = isWhole ? load(targets + i) : load(targets + i, count: lanesHere)
                var result = function.evaluate(y, t)
                if let ignored {
                    // Chosen, not multiplied: padding must not hand on what is not finite there.
                    let distance = t - Vector(repeating: ignored)
                    let zero = Vector(repeating: 0)
                    let isCounted = mld_max(distance, zero - distance)
                    result.loss = mld_select_positive(isCounted, result.loss, zero)
                    result.gradient = mld_select_positive(isCounted, result.gradient, zero)
                    result.hits = mld_select_positive(isCounted, result.hits, zero)
                    let one = mld_select_positive(isCounted, Vector(repeating: 1), zero)
                    counted += isWhole ? one : first(lanesHere, of: one)
                }
                let step = result.gradient * Vector(repeating: scale)
                if isWhole {
                    loss += result.loss
                    hits += result.hits
                    store(dz + i, step)
                } else {
                    loss += first(lanesHere, of: result.loss)
                    hits += first(lanesHere, of: result.hits)
                    store(dz + i, step, count: lanesHere)
                }
                i += lanes
            }
            totals.loss += Double(laneSum(loss))
            totals.correct += Int(laneSum(hits))
            if ignored != nil { totals.positions += Int(laneSum(counted)) }
            start = end
        }
    }

    /// Zero in the lanes behind.
    @inline(__always)
    private func first(_ count: Int, of v: Vector) -> Vector {
        var kept = Vector(repeating: 0)
        for lane in 0..<count { kept[lane] = v[lane] }
        return kept
    }
}
