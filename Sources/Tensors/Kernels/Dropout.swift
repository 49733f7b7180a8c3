import CKernels

/// Which values a dropout layer keeps: for each one 16 bits of a stream of random numbers, so the rate is a multiple of
/// 2^-16, and the same stream gives the same choice again.
package struct DropoutMask: Sendable {
    private let threshold: Int32
    private let factor: Float

    /// - Parameter rate: the part that is dropped, at least 0 and below 1.
    package init(rate: Double) {
        let dropped = min((rate * 65536).rounded(), 65535)
        threshold = Int32(dropped)
        factor = Float(65536 / (65536 - dropped))
    }

    /// `y = x / (1 - rate)` where a value is kept, else 0; or adds that to `y`. A NaN stays one.
    package func apply(
        _ x: UnsafePointer<Float>, into y: FloatPointer, count: Int, accumulate: Bool, _ generator: SplitMix64
    ) {
        var generator = generator
        map(count, x, into: y, accumulate: accumulate) { v in
            let a = generator.next()
            let b = lanes > 4 ? generator.next() : 0
            let (c, d) = lanes > 8 ? (generator.next(), generator.next()) : (0, 0)
            return v * mld_keep(a, b, c, d, threshold, factor)
        }
    }
}
