import ConfigFile
import Datasets

/// The readers of `[data]` by their names in job files. Each gives what its keys say; mistakes are collected on the way.
enum DataCatalog {
    typealias Read = @Sendable (ConfigReader) -> any DataSource

    static let readers: [String: Read] = [
        "idx": { IDXSource(reading: $0) },
        "text-classes": { TextClassesSource(reading: $0) },
        "parallel-text": { ParallelTextSource(reading: $0) },
        "text": { StreamSource(reading: $0) },
        "audio": { AudioSource(reading: $0) },
        "csv": { CSVSource(reading: $0) },
        "ratings": { RatingsSource(reading: $0) },
    ]
}

/// The files of a data set: `path` is their directory, names are relative to it.
struct DataFiles {
    let reader: ConfigReader
    let directory: String

    /// - Parameter example: of a directory.
    init(_ reader: ConfigReader, example: String) {
        self.reader = reader
        directory = reader.string("path") ?? ""
        if reader.table["path"] == nil { reader.missing("path", example: "\"\(example)\"") }
    }

    func absolute(_ name: String) -> String { name.hasPrefix("/") ? name : directory + "/" + name }

    /// A file that must be named.
    func required(_ key: String, example: String) -> String {
        if reader.table[key] == nil { reader.missing(key, example: "\"\(example)\"") }
        return optional(key) ?? ""
    }

    func optional(_ key: String) -> String? { reader.string(key).map(absolute) }
}

extension SplitRule {
    /// - Parameters:
    ///   - validation: the key that names validation samples of their own, if there is one.
    ///   - test: the same for the test.
    ///   - stratifies: whether samples have classes to stratify by.
    init(
        reading reader: ConfigReader, validation validationKey: String? = nil, test testKey: String? = nil,
        stratifies: Bool = false
    ) {
        self.init()
        if let part = reader.number("validation-split", in: 0...0.99) { validation = part }
        if let part = reader.number("test-split", in: 0...0.99) { test = part }
        folds = reader.integer("folds", in: 2...1000)
        let fold = reader.integer("fold", in: 0...999)
        if let fold { self.fold = fold }
        if stratifies, let value = reader.boolean("stratified") { isStratified = value }

        if let folds, let fold, fold >= folds {
            reader.report("fold", "\"data.fold\" is \(fold), but the \(folds) folds are 0 to \(folds - 1)")
        } else if fold != nil, reader.table["folds"] == nil {
            reader.report("fold", "\"data.fold\" needs \"folds\"", hint: "folds = 5")
        }
        if folds != nil, reader.table["test-split"] != nil {
            reader.report("test-split", "with \"folds\", the fold is the test set; \"test-split\" has no use")
        }
        if let testKey, holdsOutTest {
            reader.report(
                folds == nil ? "test-split" : "folds",
                "\"\(testKey)\" tells the test samples already; leave one of both out")
        }
        if let validationKey, reader.table["validation-split"] != nil {
            reader.report(
                "validation-split", "\"\(validationKey)\" tells the validation samples already; leave one of both out")
        }
    }
}
