import Tensors

/// How running text becomes rows: 0 is padding, 1 an unknown word, 2 the end of a sentence.
package struct StreamEncoding: Codable, Hashable, Sendable {
    package var vocabulary: Vocabulary
    package var sequenceLength: Int
    package var lowerCase: Bool

    static let unknown = 1
    static let end: Int32 = 2
    static let marks = [Vocabulary.padding, Vocabulary.unknown, Vocabulary.end]

    /// A sentence as numbers, its end mark included.
    package func encode(_ sentence: String) -> [Float] {
        vocabulary.numbers(sentence, unknown: StreamEncoding.unknown, lowerCase: lowerCase).map { Float($0) }
            + [Float(StreamEncoding.end)]
    }
}

/// Running text for language models: sentences, one a line, joined into one stream of words with a mark at the end of
/// each, cut into blocks; each word's target is the one after it.
package struct StreamSource: DataSource {
    package var train = ""
    /// Where absent, part of the blocks of the training file, as ``split`` says.
    package var validation: String?
    package var test: String?
    package var sequenceLength = 35
    /// Words and the three marks; nil for all words.
    package var vocabularySize: Int?
    package var minimumCount = 1
    package var lowerCase = false
    package var split = SplitRule()

    package init() {}

    package let reader = "text"
    package var hasValidation: Bool { validation != nil || split.validation > 0 }
    package var files: [(role: String, path: String)] {
        [("training text", train)] + (validation.map { [("validation text", $0)] } ?? [])
            + (test.map { [("test text", $0)] } ?? [])
    }

    /// Block `i` holds the words from `i x length`, and as targets those from `i x length + 1`; the words after the last
    /// whole block are left out. The vocabulary is of the training blocks' words, targets not counted.
    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        let text = try WordStream(train, lowerCase: lowerCase)
        let blocks = try text.blocks(of: sequenceLength)
        var rule = test == nil ? split : split.withoutTest
        if validation != nil { rule.validation = 0 }
        let parts = Split(count: blocks, rule: rule, seed: seed)
        try requireParts(parts, split, path: train)

        var counts = WordCounts(words: text.corpus.index.count)
        for block in parts.train.sorted() {
            let start = Int(block) * sequenceLength
            counts.add(text.stream[start..<(start + sequenceLength)].filter { $0 != WordStream.end }[...])
        }
        let encoding = StreamEncoding(
            vocabulary: Vocabulary(
                marks: StreamEncoding.marks, counts: counts, index: text.corpus.index, limit: vocabularySize,
                minimumCount: minimumCount),
            sequenceLength: sequenceLength, lowerCase: lowerCase)
        var preprocessing = Preprocessing(reader: reader, inputShapes: [[sequenceLength]])
        preprocessing.stream = encoding
        var dataset = Dataset(
            try text.samples(blocks, encoding), parts, classes: encoding.vocabulary.count,
            preprocessing: preprocessing)
        func own(_ path: String) throws(DatasetError) -> [Dataset.Bucket] {
            let text = try WordStream(path, lowerCase: lowerCase)
            return [.init(try text.samples(try text.blocks(of: sequenceLength), encoding))]
        }
        if let validation { dataset.validation = try own(validation) }
        if let test { dataset.test = try own(test) }
        dataset.vocabularySizes = [encoding.vocabulary.count]
        return dataset
    }
}

/// A file as one stream of words.
private struct WordStream {
    let path: String
    private(set) var corpus = Corpus()
    /// By the corpus's index, with ``end`` after each sentence.
    private(set) var stream: [Int32] = []

    static let end: Int32 = -1

    init(_ path: String, lowerCase: Bool) throws(DatasetError) {
        self.path = path
        corpus.append(try TextFile(path, lowerCase: lowerCase))
        for sentence in 0..<corpus.count where !corpus[sentence].isEmpty {
            stream += corpus[sentence]
            stream.append(WordStream.end)
        }
    }

    /// - Throws: `content` if there is not a single one.
    func blocks(of length: Int) throws(DatasetError) -> Int {
        let blocks = (stream.count - 1) / length
        guard blocks > 0, blocks <= Int(Int32.max) else {
            throw DatasetError(
                .content, "\(stream.count) words and ends of sentences, too few for one block of \(length)",
                path: path)
        }
        return blocks
    }

    func samples(_ blocks: Int, _ encoding: StreamEncoding) throws(DatasetError) -> Samples {
        let numbers = corpus.numbers(in: encoding.vocabulary, unknown: StreamEncoding.unknown)
        func number(_ place: Int) -> Float {
            let word = stream[place]
            return Float(word == WordStream.end ? StreamEncoding.end : numbers[Int(word)])
        }
        return try arrays { () throws(TensorError) in
            let count = blocks * encoding.sequenceLength
            let features = try FloatBuffer(count: count)
            let targets = try FloatBuffer(count: count)
            for place in 0..<count {
                features.base[place] = number(place)
                targets.base[place] = number(place + 1)
            }
            let shape = try Shape([encoding.sequenceLength])
            return try Samples(count: blocks, shape: shape, features: features, targetShape: shape, targets: targets)
        }
    }
}
