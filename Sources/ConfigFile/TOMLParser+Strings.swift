extension TOMLParser {
    mutating func basicString() throws(ConfigProblem) -> String {
        let start = line
        index += 1
        var text: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return try checked(text, line: start)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0x0A: throw problem("the string is not closed before the end of the line", line: start)
            case 0..<0x20 where byte != 0x09, 0x7F: throw problem("control byte \(byte) in a string")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw problem("the string is never closed", line: start)
    }

    mutating func literalString() throws(ConfigProblem) -> String {
        let start = line
        index += 1
        let first = index
        while let byte = peek() {
            if byte == UInt8(ascii: "'") {
                index += 1
                return try checked(Array(bytes[first..<(index - 1)]), line: start)
            }
            if byte == 0x0A { break }
            if (byte < 0x20 && byte != 0x09) || byte == 0x7F { throw problem("control byte \(byte) in a string") }
            index += 1
        }
        throw problem("the string is not closed before the end of the line", line: start)
    }

    mutating func multilineBasic() throws(ConfigProblem) -> String {
        let start = line
        openMultiline()
        var text: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\"") where closesMultiline(byte, &text): return try checked(text, line: start)
            case UInt8(ascii: "\\") where continuesLine(): skipToNextWord()
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: try appendMultiline(byte, &text)
            }
        }
        throw problem("the string is never closed", line: start)
    }

    mutating func multilineLiteral() throws(ConfigProblem) -> String {
        let start = line
        openMultiline()
        var text: [UInt8] = []
        while let byte = peek() {
            if byte == UInt8(ascii: "'"), closesMultiline(byte, &text) { return try checked(text, line: start) }
            try appendMultiline(byte, &text)
        }
        throw problem("the string is never closed", line: start)
    }

    private mutating func openMultiline() {
        index += 3
        if peek() == 0x0D, peek(1) == 0x0A { index += 1 }
        if peek() == 0x0A {
            index += 1
            line += 1
        }
    }

    private mutating func appendMultiline(_ byte: UInt8, _ text: inout [UInt8]) throws(ConfigProblem) {
        if byte == 0x0A { line += 1 }
        if (byte < 0x20 && ![0x09, 0x0A, 0x0D].contains(byte)) || byte == 0x7F {
            throw problem("control byte \(byte) in a string")
        }
        text.append(byte)
        index += 1
    }

    /// True when three quotes stand here; one or two more before them belong to the text.
    private mutating func closesMultiline(_ quote: UInt8, _ text: inout [UInt8]) -> Bool {
        var run = 0
        while peek(run) == quote, run < 5 { run += 1 }
        guard run >= 3 else { return false }
        for _ in 3..<max(run, 3) { text.append(quote) }
        index += run
        return true
    }

    /// A backslash with nothing but blanks after it joins the next line.
    private func continuesLine() -> Bool {
        var offset = 1
        while let byte = peek(offset), byte == 0x20 || byte == 0x09 || byte == 0x0D { offset += 1 }
        return peek(offset) == 0x0A
    }

    private mutating func skipToNextWord() {
        index += 1
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
            if byte == 0x0A { line += 1 }
            index += 1
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(ConfigProblem) {
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "b"): 0x08, UInt8(ascii: "t"): 0x09, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "f"): 0x0C,
            UInt8(ascii: "r"): 0x0D, UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C,
        ]
        guard let byte = peek(1) else { throw problem("the string is never closed") }
        index += 2
        if let plain = simple[byte] {
            text.append(plain)
            return
        }
        let length = byte == UInt8(ascii: "u") ? 4 : (byte == UInt8(ascii: "U") ? 8 : 0)
        guard length > 0, index + length <= bytes.count else {
            throw problem("unknown escape \\\(shown(byte))", hint: "a backslash itself is written \\\\")
        }
        let digits = String(decoding: bytes[index..<(index + length)], as: UTF8.self)
        guard digits.allSatisfy(\.isHexDigit), let code = UInt32(digits, radix: 16), let scalar = UnicodeScalar(code)
        else { throw problem("\\\(Character(UnicodeScalar(byte)))\(digits) is not a Unicode character") }
        text.append(contentsOf: String(Character(scalar)).utf8)
        index += length
    }

    private func checked(_ text: [UInt8], line: Int) throws(ConfigProblem) -> String {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw problem("the string is not valid UTF-8", line: line)
        }
        return string
    }
}
