import CKernels
import Tensors

/// The softmax of one position's outputs, in the passes that the cross-entropies need of it.
///
/// `largest` is taken off before `e^x`, so nothing overflows; NaN and infinite outputs give a NaN sum.
enum SoftmaxRow {
    /// The largest of `count` numbers; `-infinity` of none.
    @inline(__always)
    static func largest(_ z: FloatPointer, _ count: Int) -> Float {
        var result = -Float.infinity
        var i = 0
        if count >= lanes {
            // Two chains, since one comparison has to wait for the other.
            var (a, b) = (load(z), load(z))
            while i + 2 * lanes <= count {
                a = mld_max(load(z + i), a)
                b = mld_max(load(z + i + lanes), b)
                i += 2 * lanes
            }
            if i + lanes <= count {
                a = mld_max(load(z + i), a)
                i += lanes
            }
            result = mld_largest(mld_max(a, b))
        }
        while i < count {
            result = z[i] > result ? z[i] : result
            i += 1
        }
        return result
    }

    /// Whether `index` is the first place of the largest number, `largest`.
    @inline(__always)
    static func isFirstLargest(_ index: Int, _ z: FloatPointer, largest: Float) -> Bool {
        z[index] == largest && SoftmaxRow.largest(z, index) < largest
    }

    /// Writes `e^(z - largest)`.
    ///
    /// - Returns: their sum.
    @inline(__always)
    static func powers(_ z: FloatPointer, _ count: Int, largest: Float, into powers: FloatPointer) -> Float {
        var sum = Vector(repeating: 0)
        let shift = Vector(repeating: largest)
        var i = 0
        while i + lanes <= count {
            let power = mld_exp(load(z + i) - shift)
            store(powers + i, power)
            sum += power
            i += lanes
        }
        if i < count {
            store(powers + i, mld_exp(load(z + i, count: count - i) - shift), count: count - i)
            sum += load(powers + i, count: count - i)
        }
        return laneSum(sum)
    }

    /// The sum of `z - largest`.
    @inline(__always)
    static func sum(_ z: FloatPointer, _ count: Int, largest: Float) -> Float {
        var sum = Vector(repeating: 0)
        let shift = Vector(repeating: largest)
        var i = 0
        while i + lanes <= count {
            sum += load(z + i) - shift
            i += lanes
        }
        var result = laneSum(sum)
        while i < count {
            result += z[i] - largest
            i += 1
        }
        return result
    }

    /// `x = factor x + offset`
    @inline(__always)
    static func rescale(_ x: FloatPointer, _ count: Int, by factor: Float, offset: Float) {
        let (a, b) = (Vector(repeating: factor), Vector(repeating: offset))
        map(count, x, into: x) { mld_fma($0, a, b) }
    }
}
