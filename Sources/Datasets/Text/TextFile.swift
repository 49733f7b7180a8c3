/// A text file as lines. Only `\n` ends a line; white space around words, `\r` too, belongs to none of them.
package struct TextFile: Sendable {
    package let path: String
    package let bytes: [UInt8]
    /// Without their ends.
    package let lines: [Range<Int>]

    /// Longer than any sentence, shorter than a file that is not text.
    package static let longestLine = 1 << 20

    /// - Parameter lowerCase: by Unicode's default mapping of each character.
    /// - Throws: `file` or `size`; `format` with the line that is not UTF-8 or too long.
    package init(_ path: String, lowerCase: Bool = false, limit: Int = 1 << 31) throws(DatasetError) {
        try self.init(bytes: try FileBytes.read(path, limit: limit), path: path, lowerCase: lowerCase)
    }

    package init(bytes: [UInt8], path: String, lowerCase: Bool = false) throws(DatasetError) {
        var bytes = try TextFile.checked(bytes, path: path)
        if lowerCase { bytes = TextFile.lowerCase(bytes) }
        var lines: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            if end - start > TextFile.longestLine {
                throw DatasetError(
                    .format, "a line of \(end - start) bytes; at most \(TextFile.longestLine) are read", path: path,
                    line: lines.count + 1)
            }
            lines.append(start..<end)
            start = end + 1
        }
        self.path = path
        self.bytes = bytes
        self.lines = lines
    }

    /// The bytes as UTF-8 without a byte order mark.
    ///
    /// - Throws: `format` with the first line that is not UTF-8.
    static func checked(_ bytes: [UInt8], path: String) throws(DatasetError) -> [UInt8] {
        if String(validating: bytes, as: UTF8.self) == nil {
            var line = 1
            for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
                if String(validating: part, as: UTF8.self) == nil { break }
                line += 1
            }
            throw DatasetError(.format, "not UTF-8 text", path: path, line: line)
        }
        return bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }

    static func lowerCase(_ bytes: [UInt8]) -> [UInt8] {
        Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8)
    }

    /// The words of each line.
    package var words: [[String]] {
        lines.indices.map { line in
            var words: [String] = []
            forEachWord(ofLine: line) { words.append(String(decoding: $0, as: UTF8.self)) }
            return words
        }
    }

    /// The words of a line, each on its own memory, in order.
    func forEachWord(ofLine line: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { all in
            TextFile.forEachWord(UnsafeBufferPointer(rebasing: all[lines[line]]), body)
        }
    }

    /// What stands between white space of ASCII: what `bytes.split()` gives in Python.
    static func forEachWord(_ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        var start = 0
        for place in 0...text.count where place == text.count || isSpace(text[place]) {
            if place > start { body(UnsafeBufferPointer(rebasing: text[start..<place])) }
            start = place + 1
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}
