import ConfigFile
import Datasets

extension TextClassesSource {
    init(reading reader: ConfigReader) {
        self.init()
        let files = DataFiles(reader, example: "sentiment")
        if let names = reader.strings("classes") {
            if names.count < 2 {
                reader.report("classes", "\"data.classes\" must name a file for each class, at least 2")
            }
            if Set(names).count < names.count { reader.report("classes", "\"data.classes\" names a file twice") }
            classes = names.map { (String($0.split(separator: "/").last ?? $0[...]), files.absolute($0)) }
        } else if reader.table["classes"] == nil {
            reader.missing("classes", example: "[\"negative.txt\", \"positive.txt\"]")
        }
        if let length = reader.integer("sequence-length", in: 1...100_000) {
            sequenceLength = length
        } else if reader.table["sequence-length"] == nil {
            reader.missing("sequence-length", example: "40")
        }
        vocabularySize = reader.integer("vocabulary-size", in: 3...1 << 24)
        if let count = reader.integer("minimum-count", in: 1...1_000_000) { minimumCount = count }
        if let lower = reader.boolean("lower-case") { lowerCase = lower }
        if let side: SentenceEncoding.Side = reader.choice("padding") { padding = side }
        if let side: SentenceEncoding.Side = reader.choice("truncating") { truncating = side }
        split = SplitRule(reading: reader, stratifies: true)
    }
}

extension ParallelTextSource {
    init(reading reader: ConfigReader) {
        self.init()
        let files = DataFiles(reader, example: "translation")
        train = Files(
            source: files.required("source", example: "train.en"), target: files.required("target", example: "train.de")
        )
        validation = ParallelTextSource.pair(files, "validation")
        test = ParallelTextSource.pair(files, "test")
        if let count = reader.integer("minimum-count", in: 1...1_000_000) { minimumCount = count }
        vocabularySize = reader.integer("vocabulary-size", in: 5...1 << 24)
        if let length = reader.integer("maximum-length", in: 2...10_000) { maximumLength = length }
        if let lengths = reader.integers("bucket-lengths", in: 2...10_000) { bucketLengths = lengths }
        if let lower = reader.boolean("lower-case") { lowerCase = lower }
        split = SplitRule(
            reading: reader, validation: validation == nil ? nil : "validation-source",
            test: test == nil ? nil : "test-source")
    }

    private static func pair(_ files: DataFiles, _ part: String) -> Files? {
        let source = files.optional(part + "-source")
        let target = files.optional(part + "-target")
        if (source == nil) != (target == nil) {
            let (there, missing) = source == nil ? ("target", "source") : ("source", "target")
            files.reader.report(
                "\(part)-\(there)", "\"\(part)-\(there)\" needs \"\(part)-\(missing)\"; a pair has both sides")
        }
        if let source, let target { return Files(source: source, target: target) }
        return nil
    }
}

extension StreamSource {
    init(reading reader: ConfigReader) {
        self.init()
        let files = DataFiles(reader, example: "corpus")
        train = files.required("train", example: "train.txt")
        validation = files.optional("validation")
        test = files.optional("test")
        if let length = reader.integer("sequence-length", in: 1...100_000) { sequenceLength = length }
        vocabularySize = reader.integer("vocabulary-size", in: 4...1 << 24)
        if let count = reader.integer("minimum-count", in: 1...1_000_000) { minimumCount = count }
        if let lower = reader.boolean("lower-case") { lowerCase = lower }
        split = SplitRule(
            reading: reader, validation: validation == nil ? nil : "validation", test: test == nil ? nil : "test")
    }
}

extension ConfigReader {
    /// An array of integers; out of range, each is a problem.
    func integers(_ key: String, in range: ClosedRange<Int>) -> [Int]? {
        guard let node = node(key) else { return nil }
        if case .array(let elements) = node.value {
            let values = elements.compactMap { element -> Int? in
                if case .integer(let value) = element.value, range.contains(Int(value)) { Int(value) } else { nil }
            }
            if values.count == elements.count { return values }
        }
        report(
            key,
            "\"\(name).\(key)\" must be an array of integers from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// An array of strings or integers, as strings.
    func names(_ key: String) -> [String]? {
        guard let node = node(key) else { return nil }
        if case .array(let elements) = node.value {
            let values = elements.compactMap { element -> String? in
                switch element.value {
                case .string(let value): value
                case .integer(let value): String(value)
                default: nil
                }
            }
            if values.count == elements.count, !values.isEmpty { return values }
        }
        report(key, "\"\(name).\(key)\" must be an array of strings or integers")
        return nil
    }
}
