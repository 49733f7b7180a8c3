import ConfigFile
import Datasets

extension AudioSource {
    init(reading reader: ConfigReader) {
        let files = DataFiles(reader, example: "recordings")
        let text = reader.string("pattern") ?? "{label}_{speaker}_{take}.wav"
        if reader.table["pattern"] == nil { reader.missing("pattern", example: "\"\(text)\"") }
        var pattern = NamePattern.anything
        do throws(DatasetError) {
            pattern = try NamePattern(text)
            if !pattern.fields.contains("label") {
                reader.report("pattern", "\"data.pattern\" has no {label}, which names the class")
            }
        } catch {
            reader.report("pattern", "\"data.pattern\": \(error.message)")
        }
        self.init(pattern: pattern)
        directory = files.directory
        let field = reader.string("test-field")
        let values = reader.names("test-values")
        if let field, let values {
            test = (field, Set(values))
            if !pattern.fields.contains(field) {
                reader.report(
                    "test-field",
                    "\"data.test-field\" is \"\(field)\", but the pattern has \(pattern.fields.joined(separator: ", "))"
                )
            }
        } else if field != nil, reader.table["test-values"] == nil {
            reader.missing("test-values", example: "[0, 1, 2]")
        } else if values != nil, reader.table["test-field"] == nil {
            reader.missing("test-field", example: "\"take\"")
        }
        if let count = reader.integer("sample-count", in: 1...1 << 28) {
            sampleCount = count
        } else if reader.table["sample-count"] == nil {
            reader.missing("sample-count", example: "8000")
        }
        sampleRate = reader.integer("sample-rate", in: 1...10_000_000)
        if let kind: RecordingPreparation.Loudness = reader.choice("normalize") { loudness = kind }
        if let place: RecordingPreparation.Alignment = reader.choice("align") { alignment = place }
        split = SplitRule(reading: reader, test: test == nil ? nil : "test-field", stratifies: true)
    }
}
