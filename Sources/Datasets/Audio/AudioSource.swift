import Tensors

/// Recordings in a directory, whose names tell what they are.
package struct AudioSource: DataSource {
    package var directory = ""
    /// With a field `label`.
    package var pattern: NamePattern
    /// The field that decides on the test samples, and its values that do.
    package var test: (field: String, values: Set<String>)?
    /// Nil: whatever all files have.
    package var sampleRate: Int?
    package var sampleCount = 16_000
    package var loudness = RecordingPreparation.Loudness.peak
    package var alignment = RecordingPreparation.Alignment.center
    package var split = SplitRule()

    package init(pattern: NamePattern) { self.pattern = pattern }

    package let reader = "audio"
    package var hasValidation: Bool { split.validation > 0 }
    package var files: [(role: String, path: String)] { [("recordings", directory)] }

    /// Looks at names and sizes only.
    package func outline(seed: UInt64) throws(DatasetError) -> DatasetOutline {
        let list = try list()
        let parts = try split(list, seed)
        let largest = list.names.reduce(0) { max($0, FileBytes.size(directory + "/" + $1)) }
        return DatasetOutline(
            inputs: [try arrays { () throws(TensorError) in try Shape([sampleCount, 1]) }],
            targetShape: try arrays { () throws(TensorError) in try Shape([]) }, trainCount: parts.train.count,
            validationCount: parts.validation.count, testCount: parts.test.count, classes: list.classes.count,
            dataBytes: list.names.count * (sampleCount + 1) * MemoryLayout<Float>.stride,
            // One file at a time; from eight bits a sample to thirty-two.
            loadingBytes: 5 * largest)
    }

    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        let list = try list()
        let parts = try split(list, seed)
        var preparation: RecordingPreparation?
        let (features, targets) = try arrays { () throws(TensorError) in
            (try FloatBuffer(count: list.names.count * sampleCount), try FloatBuffer(count: list.names.count))
        }
        for (row, name) in list.names.enumerated() {
            let path = directory + "/" + name
            let recording = try WAVFile.read(path)
            let rule =
                preparation
                ?? RecordingPreparation(
                    sampleRate: sampleRate ?? recording.sampleRate, sampleCount: sampleCount, loudness: loudness,
                    alignment: alignment)
            preparation = rule
            if recording.sampleRate != rule.sampleRate {
                throw DatasetError(
                    .content,
                    "\(recording.sampleRate) samples a second"
                        + (sampleRate == nil ? "; the first file has \(rule.sampleRate)" : ", not \(rule.sampleRate)"),
                    path: path)
            }
            rule.write(recording.samples, to: features.base + row * sampleCount)
            targets.base[row] = Float(list.labels[row])
        }
        let samples = try arrays { () throws(TensorError) in
            try Samples(
                count: list.names.count, shape: try Shape([sampleCount, 1]), features: features,
                targetShape: try Shape([]), targets: targets)
        }
        var preprocessing = Preprocessing(
            reader: reader, inputShapes: [[sampleCount, 1]], classes: list.classes)
        preprocessing.recording = preparation
        return Dataset(samples, parts, classes: list.classes.count, preprocessing: preprocessing)
    }

    private struct List {
        /// In the order of their bytes.
        var names: [String] = []
        var labels: [Int32] = []
        var isTest: [Bool] = []
        /// In the order of their bytes, too.
        var classes: [String] = []
    }

    /// Files whose names do not end as the pattern does are none of ours; the others must match.
    private func list() throws(DatasetError) -> List {
        guard pattern.fields.contains("label") else {
            throw DatasetError(.content, "the pattern \"\(pattern)\" has no {label}")
        }
        if let test, !pattern.fields.contains(test.field) {
            throw DatasetError(.content, "the pattern \"\(pattern)\" has no {\(test.field)}")
        }
        var list = List()
        var labels: [String] = []
        for name in try FileBytes.names(in: directory) where pattern.hasEnding(name) {
            guard let fields = pattern.match(name), let label = fields["label"] else {
                throw DatasetError(
                    .content, "the name does not match \"\(pattern)\"", path: directory + "/" + name)
            }
            list.names.append(name)
            labels.append(label)
            list.isTest.append(test.map { $0.values.contains(fields[$0.field] ?? "") } ?? false)
        }
        guard !list.names.isEmpty, list.names.count <= Int(Int32.max) else {
            throw DatasetError(.content, "no file in it matches \"\(pattern)\"", path: directory)
        }
        list.classes = Set(labels).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let numbers = Dictionary(uniqueKeysWithValues: list.classes.enumerated().map { ($0.element, Int32($0.offset)) })
        list.labels = labels.map { numbers[$0] ?? 0 }
        return list
    }

    private func split(_ list: List, _ seed: UInt64) throws(DatasetError) -> Split {
        let pool = (0..<Int32(clamping: list.names.count)).filter { !list.isTest[Int($0)] }
        let parts = Split(
            pool, rule: test == nil ? split : split.withoutTest, seed: seed, classes: pool.map { list.labels[Int($0)] })
        try requireParts(parts, split, path: directory)
        guard test != nil else { return parts }
        let held = (0..<Int32(clamping: list.names.count)).filter { list.isTest[Int($0)] }
        if held.isEmpty { throw DatasetError(.content, "no file is left for the test", path: directory) }
        return Split(train: parts.train, validation: parts.validation, test: held)
    }
}
