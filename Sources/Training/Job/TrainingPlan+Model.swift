import ConfigFile
import Learning

// [[model.layer]]
extension TrainingPlan {
    mutating func readModel(_ reader: ConfigReader) {
        let tables = reader.tables("layer")
        if tables.isEmpty, reader.table["layer"] == nil {
            reader.report(
                "layer", "the model has no layers", hint: "add [[model.layer]] with type = \"dense\" and units = 10")
        }
        for table in tables {
            let name = table.string("name")
            if let name, !TrainingPlan.isName(name) {
                table.report(
                    "name",
                    "\"model.layer.name\" is \"\(name)\"; it must be letters, digits, \"-\" or \"_\", 64 at most")
            }
            if table.table["type"] == nil { table.missing("type", example: "\"dense\"") }
            // The known keys depend on the type, so without one nothing else is judged.
            guard let layer = readLayer(table) else { continue }
            table.finish()
            layers.append(LayerEntry(name: name, layer: layer, table: table.table))
            lines.layers.append(table.table.line)
        }
        reader.finish()
    }

    private func readLayer(_ reader: ConfigReader) -> (any Layer)? {
        guard let type = reader.string("type") else { return nil }
        guard let read = LayerCatalog.readers[type] else {
            let known = LayerCatalog.readers.keys.sorted()
            reader.report(
                "type", "\"model.layer.type\" is \"\(type)\"; it must be one of \(known.joined(separator: ", "))",
                hint: nearMatch(type, among: known).map { "did you mean \"\($0)\"?" })
            return nil
        }
        return read(reader)
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
