/// A recording in a RIFF WAVE file: PCM of 8, 16, 24 or 32 bits or 32-bit floats, its channels averaged to one.
///
/// A file is `RIFF`, a length, `WAVE`, then chunks: a name of four letters, a length, so many bytes and one more if that
/// is odd. `fmt ` tells the format and `data` holds the samples, frame by frame, little-endian; others are skipped.
/// (Microsoft, "Multiple channel audio data and WAVE files".) Every length is held against what is there.
package struct WAVFile: Sendable {
    /// Frames in a second.
    package let sampleRate: Int
    package let channels: Int
    /// One for each frame; from -1 to 1, for floats anything finite.
    package let samples: [Float]

    /// - Throws: `file`, `size` or `format`, with the path.
    package static func read(_ path: String, limit: Int = 1 << 30) throws(DatasetError) -> WAVFile {
        let bytes = try FileBytes.read(path, limit: limit)
        do throws(DatasetError) {
            return try WAVFile(bytes)
        } catch {
            throw DatasetError(error.code, error.message, path: path)
        }
    }

    package init(_ bytes: [UInt8]) throws(DatasetError) {
        func text(_ at: Int) -> ArraySlice<UInt8> { bytes[at..<(at + 4)] }
        guard bytes.count >= 12, text(0).elementsEqual("RIFF".utf8), text(8).elementsEqual("WAVE".utf8) else {
            throw DatasetError(.format, "not a WAV file: it does not begin with RIFF and WAVE")
        }
        var format: WAVFormat?
        var data: Range<Int>?
        var position = 12
        while position < bytes.count, format == nil || data == nil {
            guard position + 8 <= bytes.count else { throw WAVFile.cutShort("in the header of a chunk") }
            let size = Int(WAVFile.number(bytes, position + 4, 4))
            let start = position + 8
            let name = text(position)
            guard size <= bytes.count - start else {
                throw WAVFile.cutShort(
                    "the chunk \"\(WAVFile.printable(name))\" claims \(size) bytes, but \(bytes.count - start) follow")
            }
            if name.elementsEqual("fmt ".utf8), format == nil {
                format = try WAVFormat(bytes, start..<(start + size))
            } else if name.elementsEqual("data".utf8), data == nil {
                data = start..<(start + size)
            }
            position = start + size + size % 2
        }
        guard let format else { throw DatasetError(.format, "a WAV file without a chunk \"fmt \"") }
        guard let data else { throw DatasetError(.format, "a WAV file without a chunk \"data\"") }
        guard data.count % format.frameBytes == 0 else {
            throw WAVFile.cutShort("\(data.count) bytes are no whole frames of \(format.frameBytes)")
        }
        sampleRate = format.sampleRate
        channels = format.channels
        samples = try format.decode(bytes, data)
    }

    fileprivate static func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt32 {
        (0..<count).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
    }

    private static func cutShort(_ how: String) -> DatasetError {
        DatasetError(.format, "a WAV file that is cut short: \(how)")
    }

    private static func printable(_ name: ArraySlice<UInt8>) -> String {
        String(name.map { (32..<127).contains($0) ? Character(UnicodeScalar($0)) : "?" })
    }
}

/// What the chunk `fmt ` tells.
private struct WAVFormat {
    let isFloat: Bool
    let channels: Int
    let sampleRate: Int
    let sampleBytes: Int

    var frameBytes: Int { channels * sampleBytes }

    init(_ bytes: [UInt8], _ chunk: Range<Int>) throws(DatasetError) {
        guard chunk.count >= 16 else {
            throw DatasetError(.format, "a WAV file whose format takes \(chunk.count) bytes; at least 16 are needed")
        }
        func number(_ offset: Int, _ count: Int) -> Int { Int(WAVFile.number(bytes, chunk.lowerBound + offset, count)) }
        var tag = number(0, 2)
        // "Extensible": the true one is the beginning of a longer identifier.
        if tag == 0xfffe, chunk.count >= 40 { tag = number(24, 2) }
        channels = number(2, 2)
        sampleRate = number(4, 4)
        let bits = number(14, 2)
        switch (tag, bits) {
        case (1, 8), (1, 16), (1, 24), (1, 32): isFloat = false
        case (3, 32): isFloat = true
        case (1, _), (3, _):
            throw DatasetError(
                .format, "WAV samples of \(bits) bits; PCM of 8, 16, 24 and 32 bits and floats of 32 bits are read")
        default: throw DatasetError(.format, "a WAV file of the kind \(tag); only PCM (1) and floats (3) are read")
        }
        sampleBytes = bits / 8
        guard (1...64).contains(channels), sampleRate > 0 else {
            throw DatasetError(.format, "a WAV file of \(channels) channels and \(sampleRate) samples a second")
        }
        guard number(12, 2) == channels * sampleBytes else {
            throw DatasetError(
                .format, "a WAV file with frames of \(number(12, 2)) bytes for \(channels) samples of \(sampleBytes)")
        }
    }

    func decode(_ bytes: [UInt8], _ data: Range<Int>) throws(DatasetError) -> [Float] {
        let frames = data.count / frameBytes
        let samples = [Float](unsafeUninitializedCapacity: frames) { samples, count in
            bytes.withUnsafeBufferPointer { bytes in
                for frame in 0..<frames {
                    var sum: Float = 0
                    for channel in 0..<channels {
                        sum += sample(bytes, data.lowerBound + frame * frameBytes + channel * sampleBytes)
                    }
                    samples[frame] = channels == 1 ? sum : sum / Float(channels)
                }
            }
            count = frames
        }
        if isFloat, let wrong = samples.firstIndex(where: { !$0.isFinite }) {
            throw DatasetError(.content, "sample \(wrong) of the recording is no finite number")
        }
        return samples
    }

    @inline(__always)
    private func sample(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Float {
        func byte(_ index: Int) -> Int32 { Int32(bytes[at + index]) }
        switch sampleBytes {
        // Eight bits alone have no sign.
        case 1: return Float(byte(0) - 128) * 0x1p-7
        case 2: return Float(((byte(0) | byte(1) << 8) << 16) >> 16) * 0x1p-15
        case 3: return Float(((byte(0) | byte(1) << 8 | byte(2) << 16) << 8) >> 8) * 0x1p-23
        default:
            let bits = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24
            return isFloat ? Float(bitPattern: UInt32(bitPattern: bits)) : Float(bits) * 0x1p-31
        }
    }
}
