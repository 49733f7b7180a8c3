/// A prefix code of DEFLATE (RFC 1951, section 3.2.2), for decoding from the low end of a bit buffer.
///
/// Codes up to `fastBits` long are looked up at once; longer ones are walked bit by bit, canonically.
struct HuffmanCode {
    static let fastBits = 10
    static let longest = 15

    /// `symbol << 4 | length` for each value of the next `fastBits` bits; 0 where the code is longer or does not exist.
    private(set) var fast = [UInt16](repeating: 0, count: 1 << HuffmanCode.fastBits)
    /// How many codes there are of each length.
    private(set) var counts = [UInt16](repeating: 0, count: HuffmanCode.longest + 1)
    /// Symbols in the order of their codes.
    private(set) var symbols: [UInt16] = []

    /// - Parameter lengths: of each symbol's code, 0 for one that does not occur; each at most 15, at most 320 of them.
    /// - Returns: nil if no such code exists: too many codes of some length, or too few to be complete. A single code,
    ///   of length 1, is allowed, since a block may use one distance only; so is none at all.
    init?(lengths: ArraySlice<UInt8>) {
        for length in lengths {
            guard length <= HuffmanCode.longest else { return nil }
            counts[Int(length)] += 1
        }
        let used = lengths.count - Int(counts[0])
        counts[0] = 0
        var left = 1
        for length in 1...HuffmanCode.longest {
            left = left * 2 - Int(counts[length])
            if left < 0 { return nil }
        }
        if left > 0, used > 1 || (used == 1 && counts[1] != 1) { return nil }

        var next = [Int](repeating: 0, count: HuffmanCode.longest + 2)
        var codes = [Int](repeating: 0, count: HuffmanCode.longest + 2)
        for length in 1...HuffmanCode.longest {
            next[length + 1] = next[length] + Int(counts[length])
            codes[length + 1] = (codes[length] + Int(counts[length])) << 1
        }
        symbols = [UInt16](repeating: 0, count: used)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            symbols[next[length]] = UInt16(symbol)
            next[length] += 1
            let code = codes[length]
            codes[length] += 1
            guard length <= HuffmanCode.fastBits else { continue }
            // Codes arrive with their first bit lowest.
            var reversed = 0
            for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
            for index in stride(from: reversed, to: 1 << HuffmanCode.fastBits, by: 1 << length) {
                fast[index] = UInt16(symbol << 4 | length)
            }
        }
    }

    /// The code of the next bits.
    ///
    /// - Returns: the symbol and the length of its code; a length of 0 if the bits are no code.
    @inline(__always)
    func decode(_ bits: UInt64) -> (symbol: Int, length: Int) {
        let entry = fast[Int(bits & UInt64((1 << HuffmanCode.fastBits) - 1))]
        if entry != 0 { return (Int(entry >> 4), Int(entry & 15)) }
        return decodeLong(bits)
    }

    private func decodeLong(_ bits: UInt64) -> (symbol: Int, length: Int) {
        var code = 0
        var first = 0
        var index = 0
        for length in 1...HuffmanCode.longest {
            code |= Int(bits >> UInt64(length - 1) & 1)
            let count = Int(counts[length])
            if code - first < count { return (Int(symbols[index + code - first]), length) }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        return (0, 0)
    }
}
