package import ConfigFile
package import Learning

/// The layers of one network, as the sections of a job file list them.
package struct LayerList: Sendable {
    /// A layer of the model, with the names of those it reads; nil for the one before it.
    package struct Entry: Sendable {
        package var name: String
        package var layer: any Layer
        package var inputs: [String]?
        /// Where the job file asks for it.
        package var line: Int
    }

    package var entries: [Entry] = []
    /// Blocks' names, each standing for its last layer.
    package var aliases: [String: String] = [:]
    /// The sections as written, blocks too, for the model's own file.
    package var written: [(name: String, table: ConfigTable)] = []

    package init() {}

    /// The line of the layer with this number.
    func line(of layer: Int) -> Int? { entries.indices.contains(layer) ? entries[layer].line : nil }

    /// Reads one section: a layer, or a block that stands for several.
    mutating func read(_ table: ConfigReader) {
        let named = table.string("name")
        if let named, !LayerList.isName(named) {
            table.report(
                "name",
                "\"\(table.name).name\" is \"\(named)\"; it must be letters, digits, \"-\" or \"_\", 64 at most")
        }
        let inputs = readInputs(table)
        guard let type = table.string("type") else {
            if table.table["type"] == nil { table.missing("type", example: "\"dense\"") }
            // The known keys depend on the type, so without one nothing else is judged.
            return
        }
        let name = named ?? "\(type)-\(written.count + 1)"
        let context = Context(name: name, inputs: inputs, line: table.table.line)
        if let block = BlockCatalog.blocks[type] {
            if let text = block(table) { expand(text, context, table) }
        } else if let read = LayerCatalog.readers[type] {
            guard let layer = read(table) else { return }
            entries.append(Entry(name: name, layer: layer, inputs: inputs, line: context.line))
        } else {
            let known = (Array(LayerCatalog.readers.keys) + Array(BlockCatalog.blocks.keys)).sorted()
            return table.report(
                "type", "\"\(table.name).type\" is \"\(type)\"; it must be one of \(known.joined(separator: ", "))",
                hint: nearMatch(type, among: known).map { "did you mean \"\($0)\"?" })
        }
        table.finish()
        written.append((name, table.table))
    }

    private struct Context {
        let name: String
        let inputs: [String]?
        let line: Int
    }

    /// `inputs = ["conv-1", "input"]`, or `input = "conv-1"`.
    private func readInputs(_ table: ConfigReader) -> [String]? {
        let one = table.string("input")
        let several = table.strings("inputs")
        if one != nil, several != nil { table.report("inputs", "a layer has either \"input\" or \"inputs\", not both") }
        if let several, several.isEmpty { table.report("inputs", "\"\(table.name).inputs\" names no layer") }
        return one.map { [$0] } ?? several
    }

    /// Adds the layers of a block. Within it names are the block's own, and `@` stands for its input, `@2` for the second.
    private mutating func expand(_ text: String, _ context: Context, _ outer: ConfigReader) {
        let table: ConfigTable
        do { table = try TOMLParser.parse(text, file: context.name) } catch {
            return outer.report("type", "the block \"\(context.name)\" cannot be built: \(error)")
        }
        let reader = ConfigReader(table, name: "model", file: outer.file, collector: outer.collector)
        let previous = entries.last?.name ?? "input"
        var last: String?
        for layer in reader.tables("layer") {
            let own = layer.string("name") ?? layer.string("type") ?? ""
            let inputs = (layer.strings("inputs") ?? (last == nil ? ["@"] : nil))?.map { input in
                guard input.hasPrefix("@") else { return "\(context.name).\(input)" }
                let number = input.dropFirst().isEmpty ? 1 : Int(input.dropFirst()) ?? 1
                if let given = context.inputs { return number <= given.count ? given[number - 1] : "input-\(number)" }
                return previous
            }
            let name = "\(context.name).\(own)"
            guard let type = layer.string("type"), let read = LayerCatalog.readers[type], let built = read(layer) else {
                outer.report("type", "the block \"\(context.name)\" cannot be built: its layer \"\(own)\" is unknown")
                return
            }
            layer.finish()
            entries.append(Entry(name: name, layer: built, inputs: inputs, line: context.line))
            last = name
        }
        // Later layers know the block by its own name.
        if let last { aliases[context.name] = last }
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}
