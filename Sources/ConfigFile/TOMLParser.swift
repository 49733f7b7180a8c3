import Units

/// Reads TOML 1.0 into a ``ConfigTable`` in which every key and value knows its line.
///
/// Our own because a wrong key must be answered with `file:line`: the available library discards positions after
/// parsing and pulls in the whole of Foundation, which the command-line tools avoid.
/// The input is hostile until parsed: size and nesting are bounded, nothing traps.
package struct TOMLParser {
    static let maximumBytes = 1 << 20
    static let maximumDepth = 64

    let file: String
    let bytes: [UInt8]
    var index = 0
    var line = 1
    /// Tables closed to later additions: inline tables, and tables defined by header or by dotted keys.
    private var sealed: Set<[String]> = []
    private var headers: Set<[String]> = []
    private var dotted: Set<[String]> = []
    private var arraysOfTables: Set<[String]> = []

    private init(_ text: String, file: String) {
        self.file = file
        self.bytes = Array(text.utf8)
    }

    /// - Parameter file: how the document is called in messages.
    /// - Throws: the first syntax error, with its line.
    package static func parse(_ text: String, file: String) throws(ConfigProblem) -> ConfigTable {
        var parser = TOMLParser(text, file: file)
        return try parser.document()
    }

    // MARK: - Document

    private mutating func document() throws(ConfigProblem) -> ConfigTable {
        guard bytes.count <= Self.maximumBytes else { throw problem("the file is larger than 1 MiB") }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        var root = ConfigTable(line: 1)
        var path: [String] = []
        while true {
            skipBlank()
            guard let byte = peek() else { return root }
            if byte == UInt8(ascii: "[") {
                path = try header(into: &root)
            } else {
                let line = self.line
                let key = try keyPath()
                try expect("=", after: "the key")
                skipSpaces()
                let node = try value(depth: 0, path: path + key)
                try insert(node, at: key, below: path, line: line, into: &root)
            }
            try endOfLine()
        }
    }

    /// `[a.b]` or `[[a.b]]`; returns the path that following keys go under.
    private mutating func header(into root: inout ConfigTable) throws(ConfigProblem) -> [String] {
        let line = self.line
        index += 1
        let isArray = peek() == UInt8(ascii: "[")
        if isArray { index += 1 }
        skipSpaces()
        let path = try keyPath()
        try expect("]", after: "the table name")
        if isArray { try expect("]", after: "the table name", skippingSpaces: false) }
        let name = path.joined(separator: ".")
        if isArray {
            try changeTable(at: Array(path.dropLast()), in: &root, line: line) { table throws(ConfigProblem) in
                let key = path[path.count - 1]
                var elements: [ConfigNode] = []
                if let old = table[key] {
                    guard case .array(let existing) = old.value, arraysOfTables.contains(path) else {
                        throw problem("\"\(name)\" is already \(old.kind), not an array of tables", line: line)
                    }
                    elements = existing
                }
                elements.append(ConfigNode(.table(ConfigTable(line: line)), line: line))
                table.set(key, ConfigNode(.array(elements), line: line), line: line)
            }
            arraysOfTables.insert(path)
            // A new element starts afresh: what was defined below the last one may be defined again.
            let isBelow = { (other: [String]) in other.count > path.count && other.starts(with: path) }
            headers = headers.filter { !isBelow($0) }
            dotted = dotted.filter { !isBelow($0) }
            sealed = sealed.filter { !isBelow($0) }
            arraysOfTables = arraysOfTables.filter { !isBelow($0) }
        } else {
            if headers.contains(path) || dotted.contains(path) || arraysOfTables.contains(path) {
                throw problem("table [\(name)] is defined twice", line: line)
            }
            try changeTable(at: path, in: &root, line: line) { table throws(ConfigProblem) in
                if table.isEmpty { table.line = line }
            }
            headers.insert(path)
        }
        return path
    }

    private mutating func insert(
        _ node: ConfigNode, at key: [String], below path: [String], line: Int, into root: inout ConfigTable
    ) throws(ConfigProblem) {
        let parent = path + key.dropLast()
        let full = path + key
        if key.count > 1 {
            for length in (path.count + 1)...parent.count {
                let prefix = Array(full.prefix(length))
                if headers.contains(prefix) || arraysOfTables.contains(prefix) {
                    throw problem("\"\(prefix.joined(separator: "."))\" is already defined as a table", line: line)
                }
                dotted.insert(prefix)
            }
        }
        try changeTable(at: parent, in: &root, line: line) { table throws(ConfigProblem) in
            let last = key[key.count - 1]
            if let old = table.entry(last) {
                let name = key.joined(separator: ".")
                throw problem("\"\(name)\" is set twice (first on line \(old.line))", line: line)
            }
            table.set(last, node, line: line)
        }
    }

    /// Walks down `path`, making tables on the way and entering the last element of arrays of tables.
    private func changeTable(
        at path: [String], in table: inout ConfigTable, line: Int, walked: Int = 0,
        _ change: (inout ConfigTable) throws(ConfigProblem) -> Void
    ) throws(ConfigProblem) {
        guard walked < path.count else { return try change(&table) }
        let key = path[walked]
        let prefix = Array(path.prefix(walked + 1))
        let name = prefix.joined(separator: ".")
        if sealed.contains(prefix) {
            throw problem("\"\(name)\" is an inline table and cannot be extended", line: line)
        }
        let entry = table.entry(key)
        switch entry?.node.value {
        case nil:
            var inner = ConfigTable(line: line)
            try changeTable(at: path, in: &inner, line: line, walked: walked + 1, change)
            table.set(key, ConfigNode(.table(inner), line: line), line: line)
        case .table(var inner):
            try changeTable(at: path, in: &inner, line: line, walked: walked + 1, change)
            table.set(key, ConfigNode(.table(inner), line: entry?.node.line ?? line), line: line)
        case .array(var elements) where arraysOfTables.contains(prefix):
            guard let last = elements.popLast(), case .table(var inner) = last.value else {
                throw problem("\"\(name)\" is not an array of tables", line: line)
            }
            try changeTable(at: path, in: &inner, line: line, walked: walked + 1, change)
            elements.append(ConfigNode(.table(inner), line: last.line))
            table.set(key, ConfigNode(.array(elements), line: entry?.node.line ?? line), line: line)
        case .some:
            throw problem("\"\(name)\" is already \(entry?.node.kind ?? "a value"), not a table", line: line)
        }
    }

    /// Remembers that the table at `path` was written inline.
    mutating func seal(_ path: [String]) { sealed.insert(path) }

    // MARK: - Bytes

    func peek(_ offset: Int = 0) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

    func problem(_ message: String, line: Int? = nil, hint: String? = nil) -> ConfigProblem {
        ConfigProblem(file: file, line: line ?? self.line, message: message, hint: hint)
    }

    mutating func skipSpaces() {
        while let byte = peek(), byte == 0x20 || byte == 0x09 { index += 1 }
    }

    /// Passes over spaces, line ends and comments.
    mutating func skipBlank() {
        while let byte = peek() {
            switch byte {
            case 0x20, 0x09, 0x0D: index += 1
            case 0x0A:
                index += 1
                line += 1
            case UInt8(ascii: "#"): while let next = peek(), next != 0x0A { index += next == 0x0A ? 0 : 1 }
            default: return
            }
        }
    }

    private mutating func endOfLine() throws(ConfigProblem) {
        skipSpaces()
        guard let byte = peek() else { return }
        if byte == UInt8(ascii: "#") || byte == 0x0A || (byte == 0x0D && peek(1) == 0x0A) { return skipBlank() }
        throw problem("unexpected \(shown(byte)) after the value", hint: "one key = value per line")
    }

    mutating func expect(_ character: Character, after what: String, skippingSpaces: Bool = true) throws(ConfigProblem)
    {
        if skippingSpaces { skipSpaces() }
        guard let byte = peek() else { throw problem("the file ends where \"\(character)\" should follow \(what)") }
        guard byte == character.asciiValue else {
            throw problem("expected \"\(character)\" after \(what), found \(shown(byte))")
        }
        index += 1
    }

    func shown(_ byte: UInt8) -> String {
        switch byte {
        case 0x0A, 0x0D: "the end of the line"
        case 0x21...0x7E: "\"\(Character(UnicodeScalar(byte)))\""
        default: "byte \(byte)"
        }
    }
}
