import Units

extension TOMLParser {
    /// `a`, `"a b"`, `'a'`, or several joined by dots.
    mutating func keyPath() throws(ConfigProblem) -> [String] {
        var path: [String] = []
        while true {
            skipSpaces()
            guard let byte = peek() else { throw problem("the file ends where a key should stand") }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                if peek(1) == byte, peek(2) == byte { throw problem("a key cannot be a multi-line string") }
                path.append(try byte == UInt8(ascii: "\"") ? basicString() : literalString())
            } else {
                let start = index
                while let next = peek(), Self.isBareKey(next) { index += 1 }
                guard index > start else { throw problem("expected a key, found \(shown(byte))") }
                path.append(String(decoding: bytes[start..<index], as: UTF8.self))
            }
            guard path.count <= Self.maximumDepth else { throw problem("nested more than 64 levels deep") }
            skipSpaces()
            guard peek() == UInt8(ascii: ".") else { return path }
            index += 1
        }
    }

    private static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// - Parameter path: where the value will stand, so that inline tables can be closed to later additions.
    mutating func value(depth: Int, path: [String]) throws(ConfigProblem) -> ConfigNode {
        guard depth < Self.maximumDepth else { throw problem("nested more than 64 levels deep") }
        let line = self.line
        guard let byte = peek() else { throw problem("the file ends where a value should stand") }
        switch byte {
        case UInt8(ascii: "\""):
            let isMultiline = peek(1) == byte && peek(2) == byte
            return ConfigNode(.string(try isMultiline ? multilineBasic() : basicString()), line: line)
        case UInt8(ascii: "'"):
            let isMultiline = peek(1) == byte && peek(2) == byte
            return ConfigNode(.string(try isMultiline ? multilineLiteral() : literalString()), line: line)
        case UInt8(ascii: "["): return ConfigNode(.array(try array(depth: depth, path: path)), line: line)
        case UInt8(ascii: "{"):
            let table = try inlineTable(depth: depth, path: path)
            seal(path)
            return ConfigNode(.table(table), line: line)
        default: return ConfigNode(try scalar(), line: line)
        }
    }

    private mutating func array(depth: Int, path: [String]) throws(ConfigProblem) -> [ConfigNode] {
        let start = line
        index += 1
        var elements: [ConfigNode] = []
        while true {
            skipBlank()
            guard let byte = peek() else { throw problem("the array is never closed with \"]\"", line: start) }
            if byte == UInt8(ascii: "]") {
                index += 1
                return elements
            }
            elements.append(try value(depth: depth + 1, path: path + ["\(elements.count)"]))
            skipBlank()
            if peek() == UInt8(ascii: ",") {
                index += 1
            } else if peek() != UInt8(ascii: "]") {
                throw problem("expected \",\" or \"]\" in the array" + (peek().map { ", found " + shown($0) } ?? ""))
            }
        }
    }

    private mutating func inlineTable(depth: Int, path: [String]) throws(ConfigProblem) -> ConfigTable {
        index += 1
        var table = ConfigTable(line: line)
        skipSpaces()
        if peek() == UInt8(ascii: "}") {
            index += 1
            return table
        }
        while true {
            skipSpaces()
            let line = self.line
            let key = try keyPath()
            try expect("=", after: "the key")
            skipSpaces()
            let node = try value(depth: depth + 1, path: path + key)
            try Self.place(node, at: key[...], in: &table, line: line) { name in
                self.problem("\"\(name)\" is set twice in the inline table", line: line)
            }
            skipSpaces()
            guard let byte = peek() else { throw problem("the inline table is never closed with \"}\"") }
            index += 1
            if byte == UInt8(ascii: "}") { return table }
            guard byte == UInt8(ascii: ",") else {
                throw problem("expected \",\" or \"}\" in the inline table, found \(shown(byte))")
            }
        }
    }

    private static func place(
        _ node: ConfigNode, at key: ArraySlice<String>, in table: inout ConfigTable, line: Int,
        duplicate: (String) -> ConfigProblem
    ) throws(ConfigProblem) {
        guard let first = key.first else { return }
        if key.count == 1 {
            if table[first] != nil { throw duplicate(first) }
            table.set(first, node, line: line)
            return
        }
        var inner = ConfigTable(line: line)
        if let old = table[first] {
            guard case .table(let existing) = old.value else { throw duplicate(first) }
            inner = existing
        }
        try place(node, at: key.dropFirst(), in: &inner, line: line, duplicate: duplicate)
        table.set(first, ConfigNode(.table(inner), line: line), line: line)
    }

    /// A number, a boolean or a date: everything up to the next delimiter.
    private mutating func scalar() throws(ConfigProblem) -> ConfigNode.Value {
        let start = index
        while let byte = peek(), byte > 0x20, !",]}#=".utf8.contains(byte) { index += 1 }
        // A date and its time may be joined by one space.
        if index - start == 10, bytes[start + 4] == UInt8(ascii: "-"), peek() == 0x20, let next = peek(1),
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next)
        {
            index += 1
            while let byte = peek(), byte > 0x20, !",]}#".utf8.contains(byte) { index += 1 }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .float(.infinity)
        case "-inf": return .float(-.infinity)
        case "nan", "+nan", "-nan": return .float(.nan)
        case "": throw problem("a value is missing" + (peek().map { ": found " + shown($0) } ?? ""))
        default: break
        }
        if let number = Self.number(text) { return number }
        let joined = text.count > 10 && Array(text.utf8)[10] == 0x20 ? text.replacingFirstSpace(with: "T") : text
        if text.utf8.count >= 10, Array(text.utf8)[4] == UInt8(ascii: "-"),
            let time = try? Timestamp(parsing: joined.uppercased())
        {
            return .timestamp(time)
        }
        throw problem("\"\(text.prefix(40))\" is not a value", hint: "text must stand in quotes")
    }

    private static func number(_ text: String) -> ConfigNode.Value? {
        let bytes = Array(text.utf8)
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        for (position, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            // An underscore must stand between digits.
            let isHex = { (b: UInt8) in isDigit(b) || "abcdefABCDEF".utf8.contains(b) }
            guard position > 0, position + 1 < bytes.count, isHex(bytes[position - 1]), isHex(bytes[position + 1])
            else { return nil }
        }
        let plain = String(text.filter { $0 != "_" })
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
            let digits = plain.dropFirst(2)
            guard let first = digits.first, first != "-", first != "+" else { return nil }
            return Int64(digits, radix: radix).map { .integer($0) }
        }
        let unsigned = plain.drop { $0 == "+" || $0 == "-" }
        guard plain.count - unsigned.count <= 1, let first = unsigned.utf8.first, isDigit(first) else { return nil }
        let whole = unsigned.prefix { $0.isNumber }
        if whole.count > 1, whole.hasPrefix("0") { return nil }
        if whole.count == unsigned.count { return Int64(plain).map { .integer($0) } }
        let allowed = unsigned.utf8.allSatisfy { isDigit($0) || ".eE+-".utf8.contains($0) }
        let parts = unsigned.split(separator: ".", omittingEmptySubsequences: false)
        guard allowed, parts.count <= 2, parts.count == 1 || parts[1].utf8.first.map(isDigit) == true else {
            return nil
        }
        return Double(plain).map { .float($0) }
    }
}

extension String {
    fileprivate func replacingFirstSpace(with other: String) -> String {
        guard let space = firstIndex(of: " ") else { return self }
        return self[..<space] + other + self[index(after: space)...]
    }
}
