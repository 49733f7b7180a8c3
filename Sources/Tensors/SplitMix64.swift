import Glibc

/// The seeded generator of everything random here: small, quick, the same on every machine.
///
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    /// A stream of its own for each purpose (`1` initial weights, `2` the split, ...), so that a change to one draws
    /// nothing from the others.
    package init(seed: UInt64, stream: UInt64) {
        var mixer = SplitMix64(seed: stream)
        state = seed ^ mixer.next()
    }

    /// One number from several, for keys of streams.
    package static func mix(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
        var generator = SplitMix64(seed: a, stream: b)
        var second = SplitMix64(seed: generator.next(), stream: c)
        return second.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-24.
    package mutating func unit() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// Uniform in `[low, high)`.
    package mutating func uniform(_ low: Float, _ high: Float) -> Float {
        low + (high - low) * unit()
    }

    /// Normal with mean 0 and deviation 1: Box and Muller, 1958.
    package mutating func normal() -> Float {
        let radius = (-2 * log(1 - Double(unit()))).squareRoot()
        return Float(radius * cos(2 * Double.pi * Double(unit())))
    }

    /// Uniform in `0..<bound`; the bias of the multiplication (below 2^-32 for bounds that fit memory) is accepted.
    package mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Fisher-Yates, in place, without allocating.
    package mutating func shuffle(_ values: UnsafeMutableBufferPointer<Int32>) {
        guard values.count > 1 else { return }
        for i in stride(from: values.count - 1, through: 1, by: -1) {
            values.swapAt(i, below(i + 1))
        }
    }
}
