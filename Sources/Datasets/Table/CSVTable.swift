/// A table of comma-separated values after RFC 4180: fields may be in quotes, in which `""` is a quote and line ends and
/// commas are plain characters. The first record names the columns. Lines end with `\r\n` or `\n`; blank ones are
/// skipped.
package struct CSVTable: Sendable {
    package let path: String
    package let columns: [String]
    /// The line each record begins on, from 1.
    package let lines: [Int]
    /// All fields, unquoted, one after the other.
    private let text: [UInt8]
    /// Where each field ends in ``text``, row by row.
    private let ends: [Int]

    package var count: Int { lines.count }

    /// What it holds and what reading it took, in bytes: the text twice, and 30 for each field, as measured on short ones.
    var loadingBytes: Int { 2 * text.count + 30 * ends.count }

    package static let longestField = 1 << 20
    package static let mostColumns = 1 << 16

    /// - Throws: `file`, `size`, or `format` with the line.
    package init(_ path: String, limit: Int = 1 << 31) throws(DatasetError) {
        try self.init(bytes: try FileBytes.read(path, limit: limit), path: path)
    }

    package init(bytes: [UInt8], path: String) throws(DatasetError) {
        var parser = CSVParser(bytes: try TextFile.checked(bytes, path: path), path: path)
        guard try parser.record() != nil else {
            throw DatasetError(.format, "it is empty; the first line must name the columns", path: path, line: 1)
        }
        let width = parser.ends.count
        var columns: [String] = []
        var start = 0
        for end in parser.ends {
            columns.append(String(decoding: parser.text[start..<end], as: UTF8.self))
            start = end
        }
        guard Set(columns).count == width else {
            throw DatasetError(.format, "two columns have the same name", path: path, line: 1)
        }
        parser.text = []
        parser.ends = []
        var lines: [Int] = []
        while let line = try parser.record() {
            let found = parser.ends.count - lines.count * width
            guard found == width else {
                throw DatasetError(
                    .format, "\(found) field\(found == 1 ? "" : "s"), but there are \(width) columns", path: path,
                    line: line)
            }
            lines.append(line)
        }
        guard lines.count <= Int(Int32.max) else {
            throw DatasetError(.size, "\(lines.count) records; at most \(Int32.max) are read", path: path)
        }
        self.path = path
        self.columns = columns
        self.lines = lines
        text = parser.text
        ends = parser.ends
    }

    /// A field without white space around it.
    package func field(_ row: Int, _ column: Int) -> Substring {
        let index = row * columns.count + column
        let bytes = text[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
        let whole = Substring(decoding: bytes, as: UTF8.self)
        guard let first = whole.firstIndex(where: { !$0.isWhitespace }),
            let last = whole.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return whole[first...last]
    }

    /// - Throws: `content` naming the columns there are.
    package func column(_ name: String) throws(DatasetError) -> Int {
        if let index = columns.firstIndex(of: name) { return index }
        let shown = columns.prefix(40).joined(separator: ", ") + (columns.count > 40 ? ", ..." : "")
        throw DatasetError(.content, "no column \"\(name)\"; there are \(shown)", path: path, line: 1)
    }

    /// Whether a field stands for a value that is not known.
    package static func isMissing(_ field: Substring) -> Bool {
        switch field {
        case "", "?", "NA", "N/A", "NaN", "nan", "NULL", "null": true
        default: false
        }
    }

    /// A field as a decimal number that a 32-bit float can hold, or nil.
    package static func number(_ field: Substring) -> Double? {
        // Swift reads hexadecimal, `inf` and `nan` as well.
        let isDecimal = field.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte | 0x20 == UInt8(ascii: "e")
        }
        guard isDecimal, let value = Double(field), Float(value).isFinite else { return nil }
        return value
    }
}

private struct CSVParser {
    let bytes: [UInt8]
    let path: String
    var text: [UInt8] = []
    var ends: [Int] = []
    private var position = 0
    private var line = 1

    init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// Appends the fields of the next record.
    ///
    /// - Returns: its line, or nil at the end.
    mutating func record() throws(DatasetError) -> Int? {
        while try lineEnd() {}
        if position == bytes.count { return nil }
        let begin = line
        var fields = 0
        while true {
            try field()
            fields += 1
            if fields > CSVTable.mostColumns {
                throw failure("more than \(CSVTable.mostColumns) fields", begin)
            }
            if position == bytes.count { return begin }
            if bytes[position] == UInt8(ascii: ",") {
                position += 1
            } else if try lineEnd() {
                return begin
            } else {
                throw failure("a closing quote in the middle of a field", line)
            }
        }
    }

    /// Takes the end of a line, if there is one here.
    private mutating func lineEnd() throws(DatasetError) -> Bool {
        guard position < bytes.count else { return false }
        if bytes[position] == UInt8(ascii: "\r") {
            guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") else {
                throw failure("a carriage return that ends no line", line)
            }
            position += 1
        }
        guard bytes[position] == UInt8(ascii: "\n") else { return false }
        position += 1
        line += 1
        return true
    }

    private mutating func field() throws(DatasetError) {
        let start = text.count
        let begin = line
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            while true {
                guard position < bytes.count else { throw failure("a quote that is never closed", begin) }
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\"") {
                    guard position < bytes.count, bytes[position] == byte else { break }
                    position += 1
                } else if byte == UInt8(ascii: "\n") {
                    line += 1
                }
                text.append(byte)
            }
        } else {
            while position < bytes.count {
                let byte = bytes[position]
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
                if byte == UInt8(ascii: "\"") { throw failure("a quote in a field that does not begin with one", line) }
                text.append(byte)
                position += 1
            }
        }
        if text.count - start > CSVTable.longestField {
            throw failure("a field of \(text.count - start) bytes; at most \(CSVTable.longestField) are read", begin)
        }
        ends.append(text.count)
    }

    private func failure(_ message: String, _ line: Int) -> DatasetError {
        DatasetError(.format, message, path: path, line: line)
    }
}
