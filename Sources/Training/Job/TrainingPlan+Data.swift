import ConfigFile
import Datasets
import Learning

// [data]
extension TrainingPlan {
    mutating func readData(_ reader: ConfigReader) {
        lines.path =
            ["path", "reader"].first { reader.table[$0] != nil }.map { reader.line(of: $0) } ?? reader.table.line
        lines.split = reader.line(of: "validation-split")
        guard let name = reader.string("reader") else {
            if reader.table["reader"] == nil { reader.missing("reader", example: "\"idx\"") }
            return
        }
        guard let read = DataCatalog.readers[name] else {
            // The other keys depend on the reader, so without one nothing else is judged.
            let known = DataCatalog.readers.keys.sorted()
            reader.report(
                "reader", "\"data.reader\" is \"\(name)\"; it must be one of \(known.joined(separator: ", "))",
                hint: nearMatch(name, among: known).map { "did you mean \"\($0)\"?" })
            return
        }
        data = read(reader)
        if let rule = earlyStopping, rule.monitor.needsValidation, !data.hasValidation {
            reader.report(
                "validation-split",
                "early stopping watches \"\(rule.monitor.rawValue)\", but no sample is kept for validation",
                hint: "validation-split = 0.1")
        }
        reader.finish()
    }
}
