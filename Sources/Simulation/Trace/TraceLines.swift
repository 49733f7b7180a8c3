/// The lines of a hostile text as ranges of bytes, with their numbers: LF or CR LF ends them.
struct TraceLines {
    let file: String
    let bytes: [UInt8]
    private var next: Int
    /// Of the line that was read last, from 1.
    private(set) var number = 0

    init(_ text: String, file: String) throws(TraceError) {
        guard text.utf8.count <= Trace.maximumBytes else {
            throw TraceError(
                file: file, line: 0, "the trace is larger than \(Trace.maximumBytes >> 20) MiB",
                hint: "cut it into parts")
        }
        self.file = file
        bytes = Array(text.utf8)
        next = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next line, without its end; nil after the last.
    mutating func nextLine() throws(TraceError) -> Range<Int>? {
        guard next < bytes.count else { return nil }
        number += 1
        let start = next
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        next = end + 1
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        guard end - start <= Trace.maximumLine else {
            throw problem("the line is longer than \(Trace.maximumLine) bytes", hint: "is this a trace of jobs?")
        }
        return start..<end
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func problem(_ message: String, hint: String? = nil) -> TraceError {
        TraceError(file: file, line: number, message, hint: hint)
    }

    /// The parts of `range` between blanks and tabs.
    func words(_ range: Range<Int>, into words: inout [Range<Int>]) {
        words.removeAll(keepingCapacity: true)
        var index = range.lowerBound
        while index < range.upperBound {
            while index < range.upperBound, Self.isBlank(bytes[index]) { index += 1 }
            let start = index
            while index < range.upperBound, !Self.isBlank(bytes[index]) { index += 1 }
            if index > start { words.append(start..<index) }
        }
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// A plain decimal number of at most 15 digits: `-1`, `12.5`. Nil for anything else, exponents and `nan` included.
    func number(_ range: Range<Int>) -> Double? {
        var index = range.lowerBound
        let isNegative = index < range.upperBound && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var mantissa: Int64 = 0
        var digits = 0
        var scale: Double?
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: "."), scale == nil {
                scale = 1
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digits < 15 {
                mantissa = mantissa * 10 + Int64(byte - UInt8(ascii: "0"))
                digits += 1
                if let known = scale { scale = known * 10 }
            } else {
                return nil
            }
            index += 1
        }
        guard digits > 0 else { return nil }
        let value = Double(mantissa) / (scale ?? 1)
        return isNegative ? -value : value
    }
}
