/// Undoes DEFLATE (RFC 1951). The input is hostile: every index is checked against its bounds in release builds too, and
/// the output never grows beyond the limit, whatever a few bytes claim to unfold to.
package struct Inflate: ~Copyable {
    /// What happens when there is more output than was asked for.
    package enum Limit: Sendable {
        /// It is an error.
        case refuse(beyond: Int)
        /// The rest is not wanted.
        case stop(at: Int)

        var bytes: Int {
            switch self {
            case .refuse(let bytes), .stop(let bytes): bytes
            }
        }
    }

    private let input: UnsafeBufferPointer<UInt8>
    /// The next byte to take.
    private var position: Int
    private var bits: UInt64 = 0
    private var bitCount = 0
    private var output: [UInt8] = []
    private let limit: Limit
    private var isFull = false

    private init(_ input: UnsafeBufferPointer<UInt8>, from position: Int, limit: Limit) {
        self.input = input
        self.position = position
        self.limit = limit
        // No byte of DEFLATE unfolds to more than 1032.
        output.reserveCapacity(min(limit.bytes, (input.count - position).multipliedOrMax(by: 1032), 1 << 28))
    }

    /// - Parameter start: where the DEFLATE stream begins in `input`.
    /// - Returns: the bytes, and where the stream ended in `input` (nil if it was stopped at the limit).
    /// - Throws: `format` if it is damaged or cut short, `size` if there is more than the limit.
    package static func bytes(
        of input: UnsafeBufferPointer<UInt8>, from start: Int = 0, limit: Limit
    ) throws(DatasetError) -> (bytes: [UInt8], end: Int?) {
        guard (0...input.count).contains(start) else { throw damaged("nothing to unfold") }
        var state = Inflate(input, from: start, limit: limit)
        let ended = try state.run()
        return (state.output, ended ? state.position - state.bitCount / 8 : nil)
    }

    /// - Returns: false if the limit was reached.
    private mutating func run() throws(DatasetError) -> Bool {
        while true {
            let isLast = try take(1) == 1
            switch try take(2) {
            case 0: try stored()
            case 1: try block(Inflate.fixedLiterals, Inflate.fixedDistances)
            case 2:
                let codes = try dynamicCodes()
                try block(codes.literals, codes.distances)
            default: throw Inflate.damaged("a block of a kind that does not exist")
            }
            if isFull { return false }
            if isLast { return true }
        }
    }

    // MARK: - Bits

    /// Fills the bit buffer with whole bytes, as far as there are any.
    @inline(__always)
    private mutating func refill() {
        while bitCount <= 56, position < input.count {
            bits |= UInt64(input[position]) << UInt64(bitCount)
            position += 1
            bitCount += 8
        }
    }

    private mutating func take(_ count: Int) throws(DatasetError) -> Int {
        if bitCount < count { refill() }
        guard bitCount >= count else { throw Inflate.damaged("it is cut short") }
        let value = Int(bits & (1 << UInt64(count) - 1))
        drop(count)
        return value
    }

    @inline(__always)
    private mutating func drop(_ count: Int) {
        bits >>= UInt64(count)
        bitCount -= count
    }

    // MARK: - Blocks

    private mutating func stored() throws(DatasetError) {
        drop(bitCount % 8)
        let length = try take(16)
        let complement = try take(16)
        guard length ^ complement == 0xffff else { throw Inflate.damaged("a stored block with a wrong length") }
        // Whole bytes that were read ahead go back.
        position -= bitCount / 8
        bits = 0
        bitCount = 0
        guard length <= input.count - position else { throw Inflate.damaged("it is cut short") }
        let room = try room(for: length)
        output.append(contentsOf: input[position..<(position + room)])
        position += length
    }

    private mutating func block(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(DatasetError) {
        while true {
            refill()
            let (symbol, length) = literals.decode(bits)
            guard length > 0, length <= bitCount else { throw wrongCode() }
            drop(length)
            if symbol < 256 {
                if output.count >= limit.bytes {
                    _ = try room(for: 1)
                    return
                }
                output.append(UInt8(truncatingIfNeeded: symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Inflate.lengths.count else { throw Inflate.damaged("a length that does not exist") }
            let (base, extra) = Inflate.lengths[symbol - 257]
            let count = base + (try take(extra))
            refill()
            let (place, placeLength) = distances.decode(bits)
            guard placeLength > 0, placeLength <= bitCount else { throw wrongCode() }
            drop(placeLength)
            guard place < Inflate.distances.count else { throw Inflate.damaged("a distance that does not exist") }
            let (distanceBase, distanceExtra) = Inflate.distances[place]
            let distance = distanceBase + (try take(distanceExtra))
            guard distance <= output.count else { throw Inflate.damaged("a distance to before the beginning") }
            let room = try room(for: count)
            // The source may run into what is being written: byte by byte.
            for _ in 0..<room { output.append(output[output.count - distance]) }
            if isFull { return }
        }
    }

    /// How many of `count` bytes still fit.
    private mutating func room(for count: Int) throws(DatasetError) -> Int {
        let left = limit.bytes - output.count
        if count <= left { return count }
        if case .refuse(let bytes) = limit {
            throw DatasetError(.size, "it unfolds to more than the \(bytes) bytes it may")
        }
        isFull = true
        return max(left, 0)
    }

    private func wrongCode() -> DatasetError {
        Inflate.damaged(position >= input.count ? "it is cut short" : "bits that are no code")
    }

    private mutating func dynamicCodes() throws(DatasetError) -> (literals: HuffmanCode, distances: HuffmanCode) {
        let literalCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let lengthCount = try take(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else { throw Inflate.damaged("too many codes") }
        var codeLengths = [UInt8](repeating: 0, count: Inflate.lengthOrder.count)
        for place in Inflate.lengthOrder.prefix(lengthCount) { codeLengths[place] = UInt8(try take(3)) }
        guard let code = HuffmanCode(lengths: codeLengths[...]) else {
            throw Inflate.damaged("codes that do not exist")
        }

        var lengths: [UInt8] = []
        let total = literalCount + distanceCount
        while lengths.count < total {
            refill()
            let (symbol, length) = code.decode(bits)
            guard length > 0, length <= bitCount else { throw wrongCode() }
            drop(length)
            let value: UInt8
            let count: Int
            switch symbol {
            case 0..<16: (value, count) = (UInt8(symbol), 1)
            case 16:
                guard let last = lengths.last else { throw Inflate.damaged("a repetition of nothing") }
                (value, count) = (last, 3 + (try take(2)))
            case 17: (value, count) = (0, 3 + (try take(3)))
            default: (value, count) = (0, 11 + (try take(7)))
            }
            guard count <= total - lengths.count else { throw Inflate.damaged("more code lengths than codes") }
            lengths.append(contentsOf: repeatElement(value, count: count))
        }
        guard lengths[256] > 0, let literals = HuffmanCode(lengths: lengths[..<literalCount]),
            let distances = HuffmanCode(lengths: lengths[literalCount...])
        else { throw Inflate.damaged("codes that do not exist") }
        return (literals, distances)
    }

    static func damaged(_ how: String) -> DatasetError { DatasetError(.format, "damaged gzip data: \(how)") }
}

extension Int {
    fileprivate func multipliedOrMax(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
