/// A quick hash of many bytes, to notice that they changed; no protection against someone who wants it not to be noticed.
struct WordHash {
    private static let prime: UInt64 = 0x100_0000_01b3
    // Four lanes, so that the multiplications need not wait for each other.
    private var lanes = SIMD4<UInt64>(0xcbf2_9ce4_8422_2325, 1, 2, 3)

    /// The size is part of what is hashed; a rest of fewer than four words counts as if zeros followed.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(SIMD4(UInt64(bytes.count), 0, 0, 0))
        let whole = bytes.count / 16 * 16
        for start in stride(from: 0, to: whole, by: 16) {
            let words = bytes.loadUnaligned(fromByteOffset: start, as: SIMD4<UInt32>.self)
            add(SIMD4(truncatingIfNeeded: words))
        }
        if whole == bytes.count { return }
        var rest = SIMD4<UInt32>()
        withUnsafeMutableBytes(of: &rest) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[whole...])) }
        add(SIMD4(truncatingIfNeeded: rest))
    }

    private mutating func add(_ words: SIMD4<UInt64>) { lanes = (lanes ^ words) &* SIMD4(repeating: Self.prime) }

    var value: UInt64 {
        (0..<4).reduce(0) { hash, lane in
            let mixed = (hash ^ lanes[lane]) &* Self.prime
            return mixed ^ mixed >> 32
        }
    }
}
