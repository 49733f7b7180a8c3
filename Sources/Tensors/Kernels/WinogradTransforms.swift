import CKernels

/// The transforms of ``Winograd`` along one axis: `F(4, 3)` of Lavin and Gray with the interpolation points 0, `±a`, `±b`
/// and infinity. Lavin and Gray take 1 and 2; these two, near `1 / sqrt(2)` and `sqrt(2)`, lose less to rounding (Alam,
/// Anderson, Barabasz and Gregg, "Winograd convolution for deep neural networks: efficient point selection", 2022), and all
/// their powers that are used are floats to the last bit.
enum WinogradTransforms {
    typealias Three = (Vector, Vector, Vector)
    typealias Four = (Vector, Vector, Vector, Vector)
    typealias Six = (Vector, Vector, Vector, Vector, Vector, Vector)

    private static var a: Float { 0.75 }
    private static var b: Float { 1.5 }
    /// Over the products of a point's distances from the other ones.
    private static var forZero: Float { 1 / (a * a * b * b) }
    private static var forA: Float { 1 / (2 * a * a * (a * a - b * b)) }
    private static var forB: Float { 1 / (2 * b * b * (b * b - a * a)) }

    @inline(__always)
    private static func fma(_ x: Vector, _ factor: Float, _ y: Vector) -> Vector {
        mld_fma(x, Vector(repeating: factor), y)
    }

    /// `B' d`: coefficients of the polynomials that are 0 at all points but one.
    @inline(__always)
    static func input(_ d: Six) -> Six {
        let (evenA, oddA) = (fma(d.2, -b * b, d.4), fma(d.1, -b * b, d.3))
        let (evenB, oddB) = (fma(d.2, -a * a, d.4), fma(d.1, -a * a, d.3))
        return (
            fma(d.0, a * a * b * b, fma(d.2, -(a * a + b * b), d.4)), fma(oddA, a, evenA), fma(oddA, -a, evenA),
            fma(oddB, b, evenB), fma(oddB, -b, evenB),
            fma(d.1, a * a * b * b, fma(d.3, -(a * a + b * b), d.5))
        )
    }

    /// `A' m`: from the values at the points four outputs.
    @inline(__always)
    static func output(_ m: Six) -> Four {
        let (sumA, differenceA) = (m.1 + m.2, m.1 - m.2)
        let (sumB, differenceB) = (m.3 + m.4, m.3 - m.4)
        return (
            m.0 + (sumA + sumB), fma(differenceB, b, differenceA * a), fma(sumB, b * b, sumA * (a * a)),
            fma(differenceB, b * b * b, fma(differenceA, a * a * a, m.5))
        )
    }

    /// `A y`: the values at the points of the polynomial with these coefficients.
    @inline(__always)
    static func gradient(_ y: Four) -> Six {
        let (evenA, oddA) = (fma(y.2, a * a, y.0), fma(y.3, a * a * a, y.1 * a))
        let (evenB, oddB) = (fma(y.2, b * b, y.0), fma(y.3, b * b * b, y.1 * b))
        return (y.0, evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, y.3)
    }

    /// `G g`: the same of a kernel, over the products of distances.
    @inline(__always)
    static func kernel(_ g: Three) -> Six {
        let (evenA, oddA) = (fma(g.2, a * a, g.0) * forA, g.1 * (a * forA))
        let (evenB, oddB) = (fma(g.2, b * b, g.0) * forB, g.1 * (b * forB))
        return (g.0 * forZero, evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, g.2)
    }

    /// `G' u`
    @inline(__always)
    static func kernelGradient(_ u: Six) -> Three {
        let (sumA, differenceA) = ((u.1 + u.2) * forA, (u.1 - u.2) * forA)
        let (sumB, differenceB) = ((u.3 + u.4) * forB, (u.3 - u.4) * forB)
        return (
            fma(u.0, forZero, sumA + sumB), fma(differenceB, b, differenceA * a),
            fma(sumB, b * b, fma(sumA, a * a, u.5))
        )
    }

    /// Six vectors, `step` floats from one to the next.
    @inline(__always)
    static func six(_ p: FloatPointer, _ step: Int) -> Six {
        (load(p), load(p + step), load(p + 2 * step), load(p + 3 * step), load(p + 4 * step), load(p + 5 * step))
    }

    @inline(__always)
    static func put(_ v: Six, _ p: FloatPointer, _ step: Int) {
        store(p, v.0)
        store(p + step, v.1)
        store(p + 2 * step, v.2)
        store(p + 3 * step, v.3)
        store(p + 4 * step, v.4)
        store(p + 5 * step, v.5)
    }
}
