import Datasets

/// Grey pictures as PNG files (ISO/IEC 15948), uncompressed: small enough for a few samples.
enum PNG {
    /// - Parameter pixels: `[height][width]`, 0 for black.
    static func grey(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(height * (width + 1))
        for row in 0..<height {
            // Each line begins with its filter: none.
            lines.append(0)
            lines += pixels[(row * width)..<((row + 1) * width)]
        }
        let header = big(width) + big(height) + [8, 0, 0, 0, 0]
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", header) + chunk("IDAT", zlib(lines))
            + chunk("IEND", [])
    }

    private static func big(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        return big(data.count) + body + big(Int(body.withUnsafeBufferPointer { CRC32.checksum($0) }))
    }

    /// RFC 1950 around the stored blocks of RFC 1951.
    private static func zlib(_ data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let count = min(65_535, data.count - start)
            bytes.append(start + count == data.count ? 1 : 0)
            let length = UInt16(count)
            for value in [length, ~length] { bytes += [UInt8(value & 0xff), UInt8(value >> 8)] }
            bytes += data[start..<(start + count)]
            start += count
        } while start < data.count
        var (a, b) = (1, 0)
        for byte in data {
            a = (a + Int(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return bytes + big(b << 16 | a)
    }

    /// A grid of pictures, each `[height][width]`, with a black line between them.
    static func grid(_ pictures: [UInt8], width: Int, height: Int, columns: Int) -> [UInt8] {
        let count = pictures.count / max(width * height, 1)
        let rows = (count + columns - 1) / columns
        let (across, down) = (columns * (width + 1) - 1, max(rows * (height + 1) - 1, 1))
        var pixels = [UInt8](repeating: 0, count: across * down)
        for picture in 0..<count {
            let (left, top) = (picture % columns * (width + 1), picture / columns * (height + 1))
            for y in 0..<height {
                let from = (picture * height + y) * width
                let to = (top + y) * across + left
                pixels.replaceSubrange(to..<(to + width), with: pictures[from..<(from + width)])
            }
        }
        return grey(pixels, width: across, height: down)
    }
}
