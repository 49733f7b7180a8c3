/// Undoes gzip (RFC 1952).
package enum Gzip {
    /// Whether the bytes begin as a gzip file does.
    package static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// - Throws: `format` if it is damaged in any way, its checksums included; `size` beyond `limit` bytes of output.
    package static func unfold(_ file: [UInt8], limit: Int) throws(DatasetError) -> [UInt8] {
        try file.withUnsafeBufferPointer { input throws(DatasetError) in
            var output: [UInt8] = []
            var position = 0
            // A file may have several members; their contents follow each other.
            repeat {
                let start = try header(input, at: position)
                let member = try Inflate.bytes(of: input, from: start, limit: .refuse(beyond: limit - output.count))
                guard let end = member.end, end + 8 <= input.count else { throw Inflate.damaged("it is cut short") }
                let checksum = member.bytes.withUnsafeBufferPointer { CRC32.checksum($0) }
                guard checksum == word(input, end) else { throw Inflate.damaged("the checksum is wrong") }
                guard UInt32(truncatingIfNeeded: member.bytes.count) == word(input, end + 4) else {
                    throw Inflate.damaged("the length is wrong")
                }
                if output.isEmpty { output = member.bytes } else { output += member.bytes }
                position = end + 8
            } while position < input.count
            return output
        }
    }

    /// The first bytes only, `count` at most. The checksum covers the whole file, so it is not looked at.
    package static func prefix(_ file: [UInt8], count: Int) throws(DatasetError) -> [UInt8] {
        try file.withUnsafeBufferPointer { input throws(DatasetError) in
            try Inflate.bytes(of: input, from: try header(input, at: 0), limit: .stop(at: count)).bytes
        }
    }

    /// Where the compressed data begins, after the header at `start`.
    private static func header(_ input: UnsafeBufferPointer<UInt8>, at start: Int) throws(DatasetError) -> Int {
        guard start <= input.count - 10, input[start] == 0x1f, input[start + 1] == 0x8b else {
            throw Inflate.damaged("not a gzip header")
        }
        let flags = input[start + 3]
        guard input[start + 2] == 8, flags & 0xe0 == 0 else { throw Inflate.damaged("a method that is not DEFLATE") }
        var position = start + 10
        if flags & 4 != 0 {
            guard position + 2 <= input.count else { throw Inflate.damaged("it is cut short") }
            position += 2 + Int(input[position]) + Int(input[position + 1]) << 8
        }
        // The name, then the comment, each ended by a zero.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            while position < input.count, input[position] != 0 { position += 1 }
            position += 1
        }
        if flags & 2 != 0 { position += 2 }
        guard position <= input.count else { throw Inflate.damaged("it is cut short") }
        return position
    }

    private static func word(_ input: UnsafeBufferPointer<UInt8>, _ position: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(input[position + $1]) << UInt32(8 * $1) }
    }
}
