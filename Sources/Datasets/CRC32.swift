/// The checksum of gzip (RFC 1952, section 8): polynomial 0xEDB88320, bits reflected.
package enum CRC32 {
    /// Eight tables, to take eight bytes a turn.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
            tables[byte] = value
        }
        for index in 256..<(8 * 256) {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xff)]
        }
        return tables
    }()

    package static func checksum(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc: UInt32 = 0xffff_ffff
            var index = 0
            while index + 8 <= bytes.count {
                var next: UInt32 = 0
                for lane in 0..<8 {
                    // The first four bytes meet the checksum so far, the others come as they are.
                    let sum = lane < 4 ? crc >> UInt32(8 * lane) & 0xff : 0
                    next ^= table[(7 - lane) * 256 + Int(sum ^ UInt32(bytes[index + lane]))]
                }
                crc = next
                index += 8
            }
            while index < bytes.count {
                crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[index])) & 0xff)]
                index += 1
            }
            return ~crc
        }
    }

    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { checksum($0) }
    }
}
