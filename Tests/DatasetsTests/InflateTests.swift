import Tensors
import Testing

@testable import Datasets

@Suite struct InflateTests {
    private func inflate(
        _ bytes: [UInt8], _ limit: Inflate.Limit = .refuse(beyond: 100_000)
    ) throws -> (bytes: [UInt8], end: Int?) {
        try bytes.withUnsafeBufferPointer { input throws(DatasetError) in try Inflate.bytes(of: input, limit: limit) }
    }

    private let squares = Array((0..<200).map { String($0 * $0) }.joined(separator: " ").utf8)
    private let sentence = Array(String(repeating: "the quick brown fox jumps over the lazy dog; ", count: 20).utf8)

    @Test func fixedBlock() throws {
        let (bytes, end) = try inflate(Compressed.fixed)
        #expect(String(decoding: bytes, as: UTF8.self) == "hello hello hello hello, worlds apart")
        #expect(end == Compressed.fixed.count)
    }

    @Test func dynamicBlockWithMatches() throws {
        #expect(try inflate(Compressed.squares).bytes == squares)
    }

    @Test func codesLongerThanTheTable() throws {
        var counts = [1, 1]
        while counts.count < 15 { counts.append(counts[counts.count - 1] + counts[counts.count - 2]) }
        let expected = counts.enumerated().flatMap { [UInt8](repeating: 65 + UInt8($0.offset), count: $0.element) }
        #expect(try inflate(Compressed.longCodes).bytes == expected)
    }

    @Test func storedBlocks() throws {
        // Two blocks: "ab", not the last, and "c".
        let (bytes, end) = try inflate([0, 2, 0, 0xfd, 0xff, 97, 98, 1, 1, 0, 0xfe, 0xff, 99, 42])
        #expect(bytes == [97, 98, 99])
        #expect(end == 13)
        #expect(throws: DatasetError.self) { try inflate([1, 2, 0, 0xfd, 0xfe, 97, 98]) }
        #expect(throws: DatasetError.self) { try inflate([1, 3, 0, 0xfc, 0xff, 97, 98]) }
    }

    @Test func damageIsAnErrorWhereverItIsCut() {
        for stream in [Compressed.fixed, Compressed.squares, Compressed.longCodes] {
            for length in 0..<(stream.count - 1) {
                #expect(throws: DatasetError.self) { try inflate(Array(stream[..<length])) }
            }
        }
    }

    @Test func nonsenseEndsWithinTheLimit() {
        var generator = SplitMix64(seed: 12)
        var whole = 0
        for round in 0..<3000 {
            // Half of them noise, half of them real streams with some bytes changed.
            var bytes = round % 2 == 0 ? [UInt8](repeating: 0, count: 1 + generator.below(80)) : Compressed.squares
            for _ in 0..<(round % 2 == 0 ? bytes.count : 1 + generator.below(4)) {
                bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            if let result = try? inflate(bytes, .refuse(beyond: 4096)) {
                whole += 1
                #expect(result.bytes.count <= 4096)
            }
            if let result = try? inflate(bytes, .stop(at: 100)) { #expect(result.bytes.count <= 100) }
        }
        // Some noise is a stream; that none were would mean that the test looks at nothing.
        #expect(whole > 0)
    }

    @Test func impossibleCodesAreRefused() {
        // Reserved block type.
        #expect(throws: DatasetError.self) { try inflate([7, 0, 0]) }
        #expect(HuffmanCode(lengths: [1, 1, 1]) == nil)
        #expect(HuffmanCode(lengths: [2, 2, 2]) == nil)
        #expect(HuffmanCode(lengths: [16]) == nil)
        #expect(HuffmanCode(lengths: [0, 1]) != nil)
        #expect(HuffmanCode(lengths: [1, 2, 2]) != nil)
        // A match of length 3 at distance 1, before any byte: fixed block, symbol 257 (0000001), distance code 0.
        #expect(throws: DatasetError.self) { try inflate([0b0000_0011, 0b0000_0010, 0, 0]) }
    }

    @Test func limitsHold() throws {
        let error = #expect(throws: DatasetError.self) {
            try inflate(Compressed.squares, .refuse(beyond: squares.count - 1))
        }
        #expect(error?.code == .size)
        #expect(try inflate(Compressed.squares, .refuse(beyond: squares.count)).bytes == squares)
        for count in [0, 1, 16, 300] {
            let part = try inflate(Compressed.squares, .stop(at: count))
            #expect(part.bytes == Array(squares[..<count]))
            #expect(part.end == nil)
        }
    }

    @Test func gzipFile() throws {
        #expect(try Gzip.unfold(Compressed.gzip, limit: 10_000) == sentence)
        #expect(try Gzip.prefix(Compressed.gzip, count: 9) == Array("the quick".utf8))
        // Two members follow each other.
        #expect(try Gzip.unfold(Compressed.gzip + Compressed.gzip, limit: 10_000) == sentence + sentence)
        let error = #expect(throws: DatasetError.self) {
            try Gzip.unfold(Compressed.gzip + Compressed.gzip, limit: sentence.count + 1)
        }
        #expect(error?.code == .size)
    }

    @Test func gzipHeaderFields() throws {
        // Extra field, name, comment and header checksum, each skipped.
        var file = Array(Compressed.gzip[..<10])
        file[3] = 4 | 8 | 16 | 2
        file += [2, 0, 9, 9] + Array("name\0comment\0".utf8) + [1, 2]
        file += Compressed.gzip[10...]
        #expect(try Gzip.unfold(file, limit: 10_000) == sentence)
        file[3] |= 0x20
        #expect(throws: DatasetError.self) { try Gzip.unfold(file, limit: 10_000) }
    }

    @Test func anyChangedByteOfAGzipFileIsNoticed() {
        for index in Compressed.gzip.indices where !(4..<10).contains(index) {
            var file = Compressed.gzip
            file[index] ^= 0x10
            if (try? Gzip.unfold(file, limit: 100_000)) != nil {
                // Only flags and padding could pass unnoticed, and this file has neither changed.
                Issue.record("a change of byte \(index) was not noticed")
            }
        }
        for length in 0..<Compressed.gzip.count {
            #expect(throws: DatasetError.self) { try Gzip.unfold(Array(Compressed.gzip[..<length]), limit: 100_000) }
        }
        #expect(throws: DatasetError.self) { try Gzip.unfold(Compressed.gzip + [0], limit: 100_000) }
    }

    @Test func checksums() {
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xcbf4_3926)
        #expect(CRC32.checksum([]) == 0)
        #expect(CRC32.checksum(Array("a".utf8)) == 0xe8b7_be43)
    }
}
