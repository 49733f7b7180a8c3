package import Units

/// Walks one table, key by key, and remembers what was asked for, so that what is left over can be named as unknown.
///
/// Problems are collected, not thrown: a person mending a file wants all of them at once. A getter that finds a value of
/// the wrong type records the problem and returns nil, as for an absent key; whoever uses the result must therefore stop
/// when the collector holds problems.
package final class ConfigReader {
    /// Collects the problems of one or more documents.
    package final class Collector {
        package private(set) var problems: [ConfigProblem] = []
        package init() {}
        package func add(_ problem: ConfigProblem) { problems.append(problem) }

        /// - Throws: everything collected, if anything was.
        package func check() throws(ConfigProblems) {
            if !problems.isEmpty { throw ConfigProblems(problems) }
        }
    }

    package let table: ConfigTable
    package let file: String
    /// The name of the table in messages: `[train]`, or empty for the top level.
    package let name: String
    package let collector: Collector
    private var known: [String] = []

    package init(_ table: ConfigTable, name: String = "", file: String, collector: Collector) {
        self.table = table
        self.name = name
        self.file = file
        self.collector = collector
    }

    // MARK: - Values

    package func string(_ key: String) -> String? {
        read(key, "a string in quotes") { if case .string(let value) = $0.value { value } else { nil } }
    }

    package func boolean(_ key: String) -> Bool? {
        read(key, "true or false") { if case .boolean(let value) = $0.value { value } else { nil } }
    }

    package func integer(_ key: String, in range: ClosedRange<Int> = 0...Int.max) -> Int? {
        guard
            let value = read(
                key, "an integer",
                { node -> Int? in if case .integer(let value) = node.value { Int(value) } else { nil } })
        else { return nil }
        if range.contains(value) { return value }
        report(key, "\(shown(key)) is \(value); it must be \(words(range))")
        return nil
    }

    /// A number; an integer such as `250` is one too.
    package func number(_ key: String, in range: ClosedRange<Double> = -Double.infinity...Double.infinity) -> Double? {
        let value = read(key, "a number") { node -> Double? in
            switch node.value {
            case .integer(let value): Double(value)
            case .float(let value): value
            default: nil
            }
        }
        guard let value else { return nil }
        if range.contains(value) { return value }
        report(key, "\(shown(key)) is \(value); it must be between \(range.lowerBound) and \(range.upperBound)")
        return nil
    }

    package func strings(_ key: String) -> [String]? {
        read(key, "an array of strings") { node -> [String]? in
            guard case .array(let elements) = node.value else { return nil }
            let values = elements.compactMap { if case .string(let value) = $0.value { value } else { nil } }
            return values.count == elements.count ? values : nil
        }
    }

    package func integers(_ key: String, in range: ClosedRange<Int> = 0...Int.max) -> [Int]? {
        let values = read(key, "an array of integers") { node -> [Int]? in
            guard case .array(let elements) = node.value else { return nil }
            let values = elements.compactMap { if case .integer(let value) = $0.value { Int(value) } else { nil } }
            return values.count == elements.count ? values : nil
        }
        guard let wrong = values?.first(where: { !range.contains($0) }) else { return values }
        report(key, "\(shown(key)) holds \(wrong); each must be \(words(range))")
        return nil
    }

    /// An array of numbers, each in the range.
    package func numbers(_ key: String, in range: ClosedRange<Double>) -> [Double]? {
        let values = read(key, "an array of numbers") { node -> [Double]? in
            guard case .array(let elements) = node.value else { return nil }
            let values = elements.compactMap { element -> Double? in
                switch element.value {
                case .integer(let value): Double(value)
                case .float(let value): value
                default: nil
                }
            }
            return values.count == elements.count ? values : nil
        }
        guard let values else { return nil }
        if let wrong = values.first(where: { !range.contains($0) }) {
            report(
                key, "\(shown(key)) has \(wrong); it must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return values
    }

    /// One of the cases of an enumeration of strings; a near match is suggested.
    package func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type = T.self) -> T?
    where T.RawValue == String {
        guard let text = string(key) else { return nil }
        if let value = T(rawValue: text) { return value }
        let choices = T.allCases.map(\.rawValue)
        let hint = nearMatch(text, among: choices).map { "did you mean \"\($0)\"?" }
        report(key, "\(shown(key)) is \"\(text)\"; it must be one of \(choices.joined(separator: ", "))", hint: hint)
        return nil
    }

    /// A quantity written with its unit, such as `"2 GiB"`.
    package func quantity<T>(_ key: String, _ parse: (String) throws(UnitError) -> T) -> T? {
        guard let text = string(key) else { return nil }
        do {
            return try parse(text)
        } catch {
            report(key, "\(shown(key)): \(error)")
            return nil
        }
    }

    package func size(_ key: String) -> ByteSize? {
        quantity(key) { text throws(UnitError) in try ByteSize(parsing: text) }
    }
    package func duration(_ key: String) -> Duration? {
        quantity(key) { text throws(UnitError) in try Duration(parsing: text) }
    }
    package func power(_ key: String) -> Power? { quantity(key) { text throws(UnitError) in try Power(parsing: text) } }

    /// A time, as a TOML date-time or as a string.
    package func timestamp(_ key: String) -> Timestamp? {
        read(key, "a time such as \"2026-11-24T08:00:00Z\"") { node -> Timestamp? in
            switch node.value {
            case .timestamp(let value): value
            case .string(let text): try? Timestamp(parsing: text)
            default: nil
            }
        }
    }

    // MARK: - Tables

    /// The sub-table `key`, to be read in turn; nil when absent.
    package func table(_ key: String) -> ConfigReader? {
        let value = read(key, "a table") { node -> ConfigTable? in
            if case .table(let value) = node.value { value } else { nil }
        }
        return value.map { reader($0, named: path(key)) }
    }

    /// The elements of the array of tables `key`; empty when absent.
    package func tables(_ key: String) -> [ConfigReader] {
        let value = read(key, "an array of tables, each under [[\(path(key))]]") { node -> [ConfigTable]? in
            guard case .array(let elements) = node.value else { return nil }
            let tables = elements.compactMap { if case .table(let value) = $0.value { value } else { nil } }
            return tables.count == elements.count ? tables : nil
        }
        return (value ?? []).map { reader($0, named: path(key)) }
    }

    /// A reader for each sub-table of a table whose keys are names chosen by the writer, in written order.
    package func namedTables(_ key: String) -> [(name: String, reader: ConfigReader)] {
        guard let outer = table(key) else { return [] }
        return outer.table.keys.compactMap { name in outer.table(name).map { (name, $0) } }
    }

    /// The raw node, for the rare value of several shapes.
    package func node(_ key: String) -> ConfigNode? { read(key, "") { $0 } }

    // MARK: - Problems

    /// Records every key nobody asked for. Call once, after the last getter.
    package func finish() {
        for entry in table.entries where !known.contains(entry.key) {
            let hint =
                nearMatch(entry.key, among: known).map { "did you mean \"\($0)\"?" }
                ?? (known.isEmpty ? nil : "known here: " + known.sorted().joined(separator: ", "))
            let place = name.isEmpty ? "at the top level" : "in [\(name)]"
            collector.add(
                ConfigProblem(
                    file: file, line: entry.line, message: "unknown key \"\(entry.key)\" \(place)", hint: hint))
        }
    }

    /// Records a problem at the line of `key`, or of the table when the key is absent.
    package func report(_ key: String, _ message: String, hint: String? = nil) {
        collector.add(ConfigProblem(file: file, line: line(of: key), message: message, hint: hint))
    }

    /// The line of `key`, else of the table itself.
    package func line(of key: String) -> Int { table.entry(key)?.line ?? table.line }

    /// Records that `key` must be there.
    package func missing(_ key: String, example: String) {
        let place = name.isEmpty ? "" : " in [\(name)]"
        report(key, "\"\(key)\" is missing\(place)", hint: "for example \(key) = \(example)")
    }

    private func read<T>(_ key: String, _ expected: String, _ convert: (ConfigNode) -> T?) -> T? {
        if !known.contains(key) { known.append(key) }
        guard let node = table[key] else { return nil }
        if let value = convert(node) { return value }
        report(key, "\(shown(key)) must be \(expected), not \(node.kind)")
        return nil
    }

    private func reader(_ table: ConfigTable, named name: String) -> ConfigReader {
        ConfigReader(table, name: name, file: file, collector: collector)
    }

    private func path(_ key: String) -> String { name.isEmpty ? key : name + "." + key }
    private func shown(_ key: String) -> String { "\"\(path(key))\"" }

    private func words(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    }
}
