package import Tensors

/// A data set ready for training: samples, which of them belong where, and what was done to them.
package struct Dataset: Sendable {
    /// Samples of one shape, and which of them belong to the part.
    package struct Bucket: Sendable {
        package let samples: Samples
        package let indices: [Int32]
        /// For each index, the line or record of the file it came from, counted from 0; empty where that is of no use.
        package let origins: [Int32]

        package init(samples: Samples, indices: [Int32], origins: [Int32] = []) {
            self.samples = samples
            self.indices = indices
            self.origins = origins
        }

        /// All samples.
        package init(_ samples: Samples, origins: [Int32] = []) {
            self.init(samples: samples, indices: (0..<Int32(clamping: samples.count)).map { $0 }, origins: origins)
        }
    }

    /// One for each shape; only `parallel-text` makes several, from the shortest to the longest.
    package var train: [Bucket]
    /// Empty when nothing is kept for validation.
    package var validation: [Bucket]
    package var test: [Bucket]
    /// Targets are whole numbers below this; nil where they are values to predict.
    package var classes: Int?
    /// For each input that holds numbers of words, users or the like: how many there are. Empty for plain numbers.
    package var vocabularySizes: [Int] = []
    package var preprocessing: Preprocessing
    /// What happens to training samples while they are gathered, anew each time.
    package var augmentation: Augmentation?
    /// What a reader of the model's card should know, such as how many samples were left out and why.
    package var notes: [String] = []

    package init(
        train: [Bucket], validation: [Bucket], test: [Bucket], classes: Int?, vocabularySizes: [Int] = [],
        preprocessing: Preprocessing, notes: [String] = []
    ) {
        self.train = train
        self.validation = validation
        self.test = test
        self.classes = classes
        self.vocabularySizes = vocabularySizes
        self.preprocessing = preprocessing
        self.notes = notes
    }

    /// One shape, divided.
    init(_ samples: Samples, _ split: Split, classes: Int?, preprocessing: Preprocessing) {
        func part(_ indices: [Int32]) -> [Bucket] {
            indices.isEmpty ? [] : [Bucket(samples: samples, indices: indices)]
        }
        self.init(
            train: part(split.train), validation: part(split.validation), test: part(split.test), classes: classes,
            preprocessing: preprocessing)
    }

    package static func count(_ buckets: [Bucket]) -> Int { buckets.reduce(0) { $0 + $1.indices.count } }

    /// What reading took for a while where the reader knows it, in bytes.
    package var loadingBytes = 0

    /// A number that changes with any value of any sample and with where it belongs (after Fowler, Noll and Vo's FNV-1a,
    /// but on words of 32 bits and in four lanes).
    package var fingerprint: UInt64 {
        var hash = WordHash()
        var seen: Set<ObjectIdentifier> = []
        for bucket in train + validation + test {
            bucket.indices.withUnsafeBytes { hash.add($0) }
            let samples = bucket.samples
            guard seen.insert(ObjectIdentifier(samples.features)).inserted else { continue }
            for buffer in [samples.features, samples.targets] {
                hash.add(UnsafeRawBufferPointer(UnsafeBufferPointer(start: buffer.base, count: buffer.count)))
            }
        }
        return hash.value
    }

    /// The memory of all samples.
    package var bytes: Int {
        // Parts may share their samples.
        var seen: Set<ObjectIdentifier> = []
        var floats = 0
        for bucket in train + validation + test where seen.insert(ObjectIdentifier(bucket.samples.features)).inserted {
            floats += bucket.samples.features.count + bucket.samples.targets.count
        }
        return floats * MemoryLayout<Float>.stride
    }
}

/// What must be known of a data set before training: enough to compile the model and to count its memory.
package struct DatasetOutline: Sendable {
    /// Of the longest bucket, which every other one fits into.
    package var inputs: [Shape]
    package var targetShape: Shape
    package var trainCount: Int
    package var validationCount: Int
    package var testCount: Int
    /// As in ``Dataset/classes``.
    package var classes: Int?
    package var vocabularySizes: [Int] = []
    /// The samples in memory.
    package var dataBytes: Int
    /// What else reading takes for a while: the files and what is made of them on the way.
    package var loadingBytes: Int
    /// The data themselves where they had to be read for this.
    package var loaded: Dataset?

    package var count: Int { trainCount + validationCount + testCount }

    package init(
        inputs: [Shape], targetShape: Shape, trainCount: Int, validationCount: Int, testCount: Int, classes: Int?,
        dataBytes: Int, loadingBytes: Int
    ) {
        self.inputs = inputs
        self.targetShape = targetShape
        self.trainCount = trainCount
        self.validationCount = validationCount
        self.testCount = testCount
        self.classes = classes
        self.dataBytes = dataBytes
        self.loadingBytes = loadingBytes
    }

    /// - Throws: `content` if there is nothing to train on.
    package init(_ dataset: Dataset, loadingBytes: Int) throws(DatasetError) {
        guard let longest = (dataset.train + dataset.validation + dataset.test).max(by: { $0.length < $1.length })
        else { throw DatasetError(.content, "there are no samples") }
        self.init(
            inputs: longest.samples.inputs, targetShape: longest.samples.targetShape,
            trainCount: Dataset.count(dataset.train), validationCount: Dataset.count(dataset.validation),
            testCount: Dataset.count(dataset.test), classes: dataset.classes, dataBytes: dataset.bytes,
            loadingBytes: loadingBytes)
        vocabularySizes = dataset.vocabularySizes
        loaded = dataset
    }
}

extension Dataset.Bucket {
    fileprivate var length: Int { samples.width }
}

/// The files of a data set and how they are read: what `[data]` of a job file says.
package protocol DataSource: Sendable {
    /// The name of the reader in job files.
    var reader: String { get }
    /// The files by their role, for the model's card.
    var files: [(role: String, path: String)] { get }
    /// Whether any sample is kept for validation.
    var hasValidation: Bool { get }

    /// Reads as little as it can.
    func outline(seed: UInt64) throws(DatasetError) -> DatasetOutline

    /// Reads everything.
    ///
    /// - Parameter seed: of the split, and of whatever else is drawn.
    /// - Throws: what is wrong with the data, with path and line.
    func load(seed: UInt64) throws(DatasetError) -> Dataset
}

extension DataSource {
    /// For readers that know nothing before they have read all: text and tables.
    package func outline(seed: UInt64) throws(DatasetError) -> DatasetOutline {
        // The bytes, the places of words or fields in them, and numbers for both: measured below four times the file.
        let dataset = try load(seed: seed)
        let size = files.reduce(0) { $0 + FileBytes.size($1.path) }
        return try DatasetOutline(dataset, loadingBytes: max(dataset.loadingBytes, 4 * size))
    }
}

/// Runs `body`, giving its error the form it has here.
func arrays<T>(_ body: () throws(TensorError) -> T) throws(DatasetError) -> T {
    do { return try body() } catch { throw DatasetError(.size, error.message) }
}

/// Several of the samples must exist, or there is nothing to learn from.
///
/// A rule with folds asks for a test part, which a fold of fewer samples than folds may not have.
func requireParts(_ split: Split, _ rule: SplitRule, path: String?) throws(DatasetError) {
    if let folds = rule.folds, split.test.isEmpty {
        throw DatasetError(.content, "no sample falls into fold \(rule.fold) of \(folds)", path: path)
    }
    if split.train.isEmpty {
        throw DatasetError(.content, "no sample is left to train on", path: path)
    }
}
