import ConfigFile
import Learning
import Tensors
import Testing

@testable import Training

/// The section "Layers" of `docs/training.md` against the layers themselves.
@Suite struct LayerDocumentationTests {
    /// A row of the tables of layers and blocks.
    private struct Row {
        var types: [String]
        /// With the default, where there is one.
        var options: [(key: String, value: String?)] = []
        /// Options by the words in quotes behind them, their default first.
        var words: [String: [String]] = [:]

        /// `key` = value, `key` = `value` (or `"word"`), `key`
        mutating func readOptions(_ cell: String) {
            let parts = cell.split(separator: "`", omittingEmptySubsequences: false).map { String($0) }
            var key: String?
            for (index, part) in parts.enumerated() where index % 2 == 1 {
                let isValue = parts[index - 1] == " = "
                if let key, isValue || part.hasPrefix("\"") {
                    if isValue { set(key, part) }
                    if part.hasPrefix("\"") { words[key, default: []].append(part) }
                    continue
                }
                key = part
                let after = parts[index + 1]
                set(part, after.hasPrefix(" = ") ? after.dropFirst(3).prefix { !",;( ".contains($0) } : "")
            }
        }

        private mutating func set(_ key: String, _ value: some StringProtocol) {
            let value = value.hasSuffix(".") ? String(value.dropLast()) : String(value)
            guard let place = options.firstIndex(where: { $0.key == key }) else {
                options.append((key, value.isEmpty ? nil : value))
                return
            }
            if !value.isEmpty { options[place].value = value }
        }
    }

    /// What stands in for an option that must be given.
    private static let given = [
        "units": "3", "input-dim": "5", "output-dim": "4", "embedding": "\"words\"", "filters": "4",
        "kernel-size": "2", "num-heads": "2", "key-dim": "3", "max-length": "9", "rate": "0.1",
        "function": "\"relu\"", "size": "2", "target-shape": "[4, 5]", "d-model": "4",
    ]

    private func section(from start: String, to end: String) throws -> [[String]] {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let text = String(decoding: try Workshop.read(root + "/docs/training.md"), as: UTF8.self)
        let lines = text.split(separator: "\n").drop { !$0.hasPrefix(start) }.dropFirst().prefix { !$0.hasPrefix(end) }
        return lines.filter { $0.hasPrefix("| `") }.map { $0.split(separator: "|").map { String($0) } }
    }

    private func rows(from start: String, to end: String) throws -> [Row] {
        var rows: [Row] = []
        for cells in try section(from: start, to: end) {
            var row = Row(types: code(cells[0]))
            if cells[2].hasPrefix(" the same"), let last = rows.last {
                (row.options, row.words) = (last.options, last.words)
            }
            row.readOptions(cells[2])
            rows.append(row)
        }
        return rows
    }

    /// What stands between backticks.
    private func code(_ cell: String) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }

    private func layers() throws -> [Row] { try rows(from: "## Layers", to: "Parameters are arrays") }
    private func blocks() throws -> [Row] { try rows(from: "Blocks stand for", to: "## ") }

    /// The names of each type's parameters.
    private func parameters() throws -> [String: Set<String>] {
        var all: [String: Set<String>] = [:]
        var last: Set<String> = []
        for cells in try section(from: "Parameters are arrays", to: "Blocks stand for") {
            last = Set(code(cells[1])).union(cells[1].hasPrefix(" the same") ? last : [])
            for type in code(cells[0]) { all[type] = last }
        }
        return all
    }

    private func value(_ option: (key: String, value: String?), _ row: Row) -> String? {
        guard let value = option.value else { return Self.given[option.key] }
        // An option may default to another one.
        return row.options.first { $0.key == value }.map { self.value($0, row) } ?? value
    }

    /// The options that must be given, as lines of a job file.
    private func required(_ row: Row) throws -> [String] {
        try row.options.filter { $0.value == nil }.map { option in
            "\(option.key) = \(try #require(Self.given[option.key], "\(row.types): \(option.key) needs a value here"))"
        }
    }

    /// What a layer or a block is, read from these lines, and what was wrong with them.
    private func read(_ type: String, _ lines: [String]) throws -> (what: String, problems: [ConfigProblem]) {
        let collector = ConfigReader.Collector()
        let table = try TOMLParser.parse(lines.joined(separator: "\n"), file: "t")
        let reader = ConfigReader(table, name: "model.layer", file: "t", collector: collector)
        var what = "nothing"
        if let layer = LayerCatalog.readers[type]?(reader) { what = "\(layer)" }
        if let block = BlockCatalog.blocks[type]?(reader) { what = block }
        reader.finish()
        return (what, collector.problems)
    }

    @Test func everyTypeIsThere() throws {
        #expect(try layers().flatMap(\.types).sorted() == LayerCatalog.readers.keys.sorted())
        #expect(try blocks().flatMap(\.types).sorted() == BlockCatalog.blocks.keys.sorted())
    }

    @Test func everyOptionIsThere() throws {
        for row in try layers() + blocks() {
            for type in row.types {
                let found = try read(type, required(row) + ["zzzzzzzzzzzzzz = 1"]).problems
                try #require(found.count == 1, "\(type): \(found)")
                let hint = found[0].hint ?? "known here: "
                let known = hint.dropFirst("known here: ".count).split(separator: ", ").map(String.init)
                #expect(row.options.map(\.key).sorted() == known, "\(type)")
            }
        }
    }

    /// With its default written out, a layer is what it is without.
    @Test func defaultsAreTheLayers() throws {
        var checked = 0
        for row in try layers() + blocks() {
            for type in row.types {
                let plain = try read(type, required(row))
                try #require(plain.problems.isEmpty && plain.what != "nothing", "\(type): \(plain)")
                for option in row.options where option.value != nil {
                    let line = "\(option.key) = \(try #require(value(option, row)))"
                    let spelt = try read(type, required(row) + [line])
                    #expect(spelt.problems.isEmpty && spelt.what == plain.what, "\(type): \(line): \(spelt)")
                    checked += 1
                }
            }
        }
        #expect(checked > 50)
    }

    /// Options that are one of several words take those that are listed, and say the same when given another.
    @Test func wordsAreTheChoices() throws {
        for row in try layers() {
            for (key, words) in row.words {
                for type in row.types {
                    let others = try required(row).filter { !$0.hasPrefix(key + " ") }
                    for word in words {
                        #expect(try read(type, others + ["\(key) = \(word)"]).problems.isEmpty, "\(type): \(word)")
                    }
                    let message = try read(type, others + ["\(key) = \"zzzzzzzzzzzz\""]).problems.first?.message ?? ""
                    let choices = try #require(message.firstMatch(of: /must be one of (.*)/)).1
                    var expected = choices.split(separator: ", ").map { "\"\($0)\"" }
                    // All activations are listed with the layer of that name; sequences alone know causal padding.
                    if key == "activation" { expected = words }
                    if key == "padding", type != "conv-1d" { expected.removeAll { $0 == "\"causal\"" } }
                    #expect(Set(words) == Set(expected), "\(type): \(key)")
                }
            }
        }
    }

    /// The parameters of a model with one such layer, without the layer's name.
    private func parameters(_ type: String, _ lines: [String]) throws -> [(name: String, shape: [Int])] {
        let words = """
            [[layer]]
            name = "words"
            type = "embedding"
            input-dim = 5
            output-dim = 4
            """
        let own = ["[[layer]]", "name = \"layer\"", "type = \"\(type)\""] + lines
        let text = ((type == "tied-dense" ? [words] : []) + own).joined(separator: "\n")
        // The first kind of input that the layer takes.
        for shapes in [[[5, 4]], [[8, 8, 4]], [[5, 4], [5, 4]]] {
            let list = try layerList(shapes.count == 1 ? text : text + "\ninputs = [\"input-1\", \"input-2\"]")
            guard
                let network = try? NetworkWiring(list).network(inputShapes: shapes.map { try Shape($0) }),
                let model = try? CompiledModel(
                    network: network, loss: MeanSquaredError(), batchSize: 1, shards: 1, wantsInputGradient: true)
            else { continue }
            return model.plan.parameters.filter { $0.name.hasPrefix("layer.") }
                .map { (String($0.name.dropFirst("layer.".count)), $0.shape.dimensions) }
        }
        Issue.record("\(type) takes none of the inputs")
        return []
    }

    private func layerList(_ text: String) throws -> LayerList {
        let collector = ConfigReader.Collector()
        let reader = ConfigReader(
            try TOMLParser.parse(text, file: "t"), name: "model", file: "t", collector: collector)
        var list = LayerList()
        for table in reader.tables("layer") { list.read(table) }
        try collector.check()
        return list
    }

    @Test func parametersHaveTheseNames() throws {
        let documented = try parameters()
        for row in try layers() {
            for type in row.types {
                #expect(
                    Set(try parameters(type, try required(row)).map(\.name)) == documented[type] ?? [], "\(type)")
            }
        }
        let more = ["residual-block": ["projection = true"], "wavenet": ["dilations = [1, 2]"]]
        let cells = try section(from: "Blocks stand for", to: "## ")
        for (row, cells) in zip(try blocks(), cells) {
            for type in row.types {
                let names = try parameters(type, try required(row) + (more[type] ?? [])).map(\.name)
                // Without the parameters' own names; a WaveNet's layers are numbered.
                let layers = Set(
                    names.map { name in
                        let layer = String(name.prefix { $0 != "." })
                        return type == "wavenet" ? "\(layer.prefix { $0 != "-" })-N" : layer
                    })
                #expect(layers == Set(code(cells[3])), "\(type)")
            }
        }
    }

    /// Two heads of three numbers; vectors of four.
    @Test func parametersHaveTheseShapes() throws {
        func shapes(_ type: String, _ lines: [String]) throws -> [String: [Int]] {
            Dictionary(uniqueKeysWithValues: try parameters(type, lines).map { ($0.name, $0.shape) })
        }
        #expect(
            try shapes("multi-head-attention", ["num-heads = 2", "key-dim = 3"]) == [
                "query-kernel": [4, 6], "key-kernel": [4, 6], "value-kernel": [4, 6], "output-kernel": [6, 4],
                "query-bias": [6], "key-bias": [6], "value-bias": [6], "output-bias": [4],
            ])
        #expect(
            try shapes("multi-head-attention", ["num-heads = 2", "key-dim = 3", "use-bias = false"]).keys.sorted()
                == ["key-kernel", "output-kernel", "query-kernel", "value-kernel"])
        for (type, gates, bias) in [("simple-rnn", 1, [7]), ("lstm", 4, [28]), ("gru", 3, [2, 21])] {
            #expect(
                try shapes(type, ["units = 7"])
                    == ["kernel": [4, gates * 7], "recurrent-kernel": [7, gates * 7], "bias": bias])
            #expect(
                try shapes(type, ["units = 7", "bidirectional = true"]).keys.sorted() == [
                    "backward.bias", "backward.kernel", "backward.recurrent-kernel", "forward.bias", "forward.kernel",
                    "forward.recurrent-kernel",
                ])
        }
        #expect(
            try shapes("conv-1d", ["filters = 6", "kernel-size = 3", "groups = 2"])
                == ["kernel": [3, 2, 6], "bias": [6]])
        #expect(
            try shapes("conv-2d", ["filters = 6", "kernel-size = [3, 2]", "groups = 2"])
                == ["kernel": [3, 2, 2, 6], "bias": [6]])
        #expect(try shapes("position-embedding", ["max-length = 9"]) == ["embeddings": [9, 4]])
        #expect(
            try shapes("transformer-decoder", ["num-heads = 2", "d-model = 4", "units = 3"])[
                "cross-attention.key-kernel"]
                == [4, 4])
    }
}
