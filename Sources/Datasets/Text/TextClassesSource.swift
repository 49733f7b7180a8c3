import Tensors

/// Labelled sentences: one file for each class, one sentence a line.
package struct TextClassesSource: DataSource {
    /// A file for each class; the order gives the numbers.
    package var classes: [(name: String, path: String)] = []
    package var sequenceLength = 100
    /// Words and the two marks; nil for all words.
    package var vocabularySize: Int?
    package var minimumCount = 1
    package var lowerCase = false
    package var padding = SentenceEncoding.Side.pre
    package var truncating = SentenceEncoding.Side.pre
    package var split = SplitRule()

    package init() {}

    package let reader = "text-classes"
    package var hasValidation: Bool { split.validation > 0 }
    package var files: [(role: String, path: String)] { classes.map { ("class \($0.name)", $0.path) } }

    /// Sentences are numbered through all files in their order, blank lines left out. The vocabulary is of the training
    /// sentences, taken in that order.
    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        var corpus = Corpus()
        var sentences: [Int] = []
        var labels: [Int32] = []
        for (label, file) in classes.enumerated() {
            let first = corpus.count
            corpus.append(try TextFile(file.path, lowerCase: lowerCase))
            let found = (first..<corpus.count).filter { !corpus[$0].isEmpty }
            if found.isEmpty { throw DatasetError(.content, "there is no sentence in it", path: file.path) }
            sentences += found
            labels += repeatElement(Int32(clamping: label), count: found.count)
        }
        guard sentences.count <= Int(Int32.max) else {
            throw DatasetError(.size, "\(sentences.count) sentences; at most \(Int32.max) are read")
        }
        let parts = Split(count: sentences.count, rule: split, seed: seed, classes: labels)
        try requireParts(parts, split, path: classes.first?.path)

        var counts = WordCounts(words: corpus.index.count)
        for sample in parts.train.sorted() { counts.add(corpus[sentences[Int(sample)]]) }
        let encoding = SentenceEncoding(
            vocabulary: Vocabulary(
                marks: SentenceEncoding.marks, counts: counts, index: corpus.index, limit: vocabularySize,
                minimumCount: minimumCount),
            sequenceLength: sequenceLength, lowerCase: lowerCase, padding: padding, truncating: truncating)
        let numbers = corpus.numbers(in: encoding.vocabulary, unknown: SentenceEncoding.unknown)

        let samples = try arrays { () throws(TensorError) in
            let features = try FloatBuffer(count: sentences.count * sequenceLength)
            let targets = try FloatBuffer(count: sentences.count)
            for (row, sentence) in sentences.enumerated() {
                let words = corpus[sentence].map { numbers[Int($0)] }
                encoding.write(words[...], to: features.base + row * sequenceLength)
                targets.base[row] = Float(labels[row])
            }
            return try Samples(
                count: sentences.count, shape: try Shape([sequenceLength]), features: features,
                targetShape: try Shape([]), targets: targets)
        }
        var preprocessing = Preprocessing(
            reader: reader, inputShapes: [[sequenceLength]], classes: classes.map(\.name))
        preprocessing.sentence = encoding
        var dataset = Dataset(samples, parts, classes: classes.count, preprocessing: preprocessing)
        dataset.vocabularySizes = [encoding.vocabulary.count]
        return dataset
    }
}
