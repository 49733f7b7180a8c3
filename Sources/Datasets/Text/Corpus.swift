/// Sentences as numbers of words.
struct Corpus: Sendable {
    private(set) var index = WordIndex()
    /// Of all sentences, one after the other, by ``index``.
    private(set) var tokens: [Int32] = []
    /// Where each sentence ends in ``tokens``.
    private var ends: [Int] = []

    var count: Int { ends.count }

    /// Every line of a file, blank ones too.
    mutating func append(_ file: TextFile) {
        for line in file.lines.indices {
            file.forEachWord(ofLine: line) { word in tokens.append(Int32(clamping: index.insert(word))) }
            ends.append(tokens.count)
        }
    }

    func range(_ sentence: Int) -> Range<Int> { (sentence == 0 ? 0 : ends[sentence - 1])..<ends[sentence] }

    subscript(sentence: Int) -> ArraySlice<Int32> { tokens[range(sentence)] }

    /// The number that a vocabulary has for each word of ``index``.
    func numbers(in vocabulary: Vocabulary, unknown: Int) -> [Int32] {
        (0..<index.count).map { number in
            Int32(clamping: index.word(number).withUnsafeBufferPointer { vocabulary.find($0) } ?? unknown)
        }
    }
}

/// How often words occur, and which came first.
struct WordCounts {
    private var counts: [Int]
    /// In the order of their first appearance.
    private var seen: [Int32] = []

    init(words: Int) { counts = [Int](repeating: 0, count: words) }

    mutating func add(_ tokens: ArraySlice<Int32>) {
        for token in tokens {
            if counts[Int(token)] == 0 { seen.append(token) }
            counts[Int(token)] += 1
        }
    }

    /// The words from the most frequent to the rarest; among equals, the one that came first. What
    /// `Counter(words).most_common()` gives in Python.
    func ranked(minimumCount: Int) -> [Int32] {
        seen.enumerated().filter { counts[Int($0.element)] >= minimumCount }
            .sorted { a, b in
                let (first, second) = (counts[Int(a.element)], counts[Int(b.element)])
                return first == second ? a.offset < b.offset : first > second
            }.map(\.element)
    }
}
