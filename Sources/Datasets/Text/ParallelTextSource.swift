import Tensors

/// Sentences and their translations: two files, of which the same lines belong together.
package struct ParallelTextSource: DataSource {
    package struct Files: Hashable, Sendable {
        package var source: String
        package var target: String
        package init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    package var train = Files(source: "", target: "")
    /// Where absent, part of the training pairs, as ``split`` says.
    package var validation: Files?
    package var test: Files?
    /// Words that occur less often in the training pairs are unknown.
    package var minimumCount = 2
    /// Words and the four marks, on each side; nil for all words.
    package var vocabularySize: Int?
    /// In words, the end mark counted. Longer pairs are not trained on, and cut for validation and test.
    package var maximumLength = 42
    package var bucketLengths = [8, 12, 16, 20, 26, 34, 42]
    package var lowerCase = false
    package var split = SplitRule()

    package init() {}

    package let reader = "parallel-text"
    package var hasValidation: Bool { validation != nil || split.validation > 0 }
    package var files: [(role: String, path: String)] {
        func pair(_ part: String, _ files: Files?) -> [(role: String, path: String)] {
            files.map { [("\(part) source", $0.source), ("\(part) target", $0.target)] } ?? []
        }
        return pair("training", train) + pair("validation", validation) + pair("test", test)
    }

    package func load(seed: UInt64) throws(DatasetError) -> Dataset {
        let pairs = try ParallelText(train, lowerCase: lowerCase)
        var rule = test == nil ? split : split.withoutTest
        if validation != nil { rule.validation = 0 }
        let parts = Split(
            (0..<Int32(clamping: pairs.count)).filter { !pairs.isBlank(Int($0)) }, rule: rule, seed: seed)
        let trained = parts.train.filter { pairs.length(Int($0)) <= maximumLength }
        if trained.isEmpty {
            throw DatasetError(
                .content, "no pair of at most \(maximumLength) words is left to train on", path: train.source)
        }
        let encoding = PairEncoding(
            source: vocabulary(pairs.source, trained), target: vocabulary(pairs.target, trained),
            lowerCase: lowerCase, lengths: bucketLengths.filter { $0 < maximumLength }.sorted() + [maximumLength])

        func own(_ files: Files?, else held: [Int32]) throws(DatasetError) -> [Dataset.Bucket] {
            guard let files else { return try pairs.buckets(held, encoding) }
            let pairs = try ParallelText(files, lowerCase: lowerCase)
            let all = (0..<Int32(clamping: pairs.count)).map { $0 }
            if all.isEmpty { throw DatasetError(.content, "there is no sentence in it", path: files.source) }
            return try pairs.buckets(all, encoding)
        }
        var preprocessing = Preprocessing(
            reader: reader, inputShapes: [[maximumLength], [maximumLength]])
        preprocessing.pair = encoding
        let left = parts.train.count - trained.count
        let blank = pairs.count - parts.train.count - parts.validation.count - parts.test.count
        return Dataset(
            train: try pairs.buckets(trained, encoding),
            validation: try own(validation, else: parts.validation),
            test: try own(test, else: parts.test),
            classes: encoding.target.count,
            vocabularySizes: [encoding.source.count, encoding.target.count], preprocessing: preprocessing,
            notes: (left > 0 ? ["\(left) pairs longer than \(maximumLength) words were not trained on"] : [])
                + (blank > 0 ? ["\(blank) pairs with a blank line were left out"] : []))
    }

    private func vocabulary(_ corpus: Corpus, _ trained: [Int32]) -> Vocabulary {
        var counts = WordCounts(words: corpus.index.count)
        for pair in trained.sorted() { counts.add(corpus[Int(pair)]) }
        return Vocabulary(
            marks: PairEncoding.marks, counts: counts, index: corpus.index, limit: vocabularySize,
            minimumCount: minimumCount)
    }
}

/// Two files as numbers of words.
private struct ParallelText {
    var source = Corpus()
    var target = Corpus()

    init(_ files: ParallelTextSource.Files, lowerCase: Bool) throws(DatasetError) {
        source.append(try TextFile(files.source, lowerCase: lowerCase))
        target.append(try TextFile(files.target, lowerCase: lowerCase))
        guard source.count == target.count, source.count <= Int(Int32.max) else {
            throw DatasetError(
                .content, "\(source.count) lines, but \(target.count) in \(files.target)", path: files.source)
        }
    }

    var count: Int { source.count }

    func isBlank(_ pair: Int) -> Bool { source[pair].isEmpty || target[pair].isEmpty }

    /// With the end mark.
    func length(_ pair: Int) -> Int { max(source.range(pair).count, target.range(pair).count) + 1 }

    /// Pairs by their length; within a bucket in the order given.
    func buckets(_ pairs: [Int32], _ encoding: PairEncoding) throws(DatasetError) -> [Dataset.Bucket] {
        let sourceNumbers = source.numbers(in: encoding.source, unknown: PairEncoding.unknown)
        let targetNumbers = target.numbers(in: encoding.target, unknown: PairEncoding.unknown)
        let byLength = Dictionary(grouping: pairs) { encoding.length(for: length(Int($0))) }
        var buckets: [Dataset.Bucket] = []
        for length in byLength.keys.sorted() {
            let members = byLength[length] ?? []
            let samples = try arrays { () throws(TensorError) in
                let features = try FloatBuffer(count: members.count * 2 * length)
                let targets = try FloatBuffer(count: members.count * length)
                for (row, pair) in members.enumerated() {
                    let words = source[Int(pair)].prefix(length - 1).map { sourceNumbers[Int($0)] }
                    let translation = target[Int(pair)].prefix(length - 1).map { targetNumbers[Int($0)] }
                    let input = features.base + row * 2 * length
                    let shifted = input + length
                    let output = targets.base + row * length
                    for (place, word) in words.enumerated() { input[place] = Float(word) }
                    input[words.count] = Float(PairEncoding.end)
                    // What the decoder is given at each place is what it should have said at the place before.
                    shifted[0] = Float(PairEncoding.start)
                    for (place, word) in translation.enumerated() {
                        shifted[place + 1] = Float(word)
                        output[place] = Float(word)
                    }
                    output[translation.count] = Float(PairEncoding.end)
                }
                let shape = try Shape([length])
                return try Samples(
                    count: members.count, inputs: [shape, shape], features: features, targetShape: shape,
                    targets: targets)
            }
            buckets.append(.init(samples, origins: members))
        }
        return buckets
    }
}
