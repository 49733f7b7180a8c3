/// Words and their numbers. The first ones are marks, such as padding, that no word of a text can be.
package struct Vocabulary: Sendable, Hashable, Codable {
    /// By number, marks included.
    package let words: [String]
    private let index: WordIndex

    package static let padding = "<pad>"
    package static let unknown = "<unk>"
    package static let start = "<start>"
    package static let end = "<end>"
    private static let marks = [padding, unknown, start, end]

    package var count: Int { words.count }

    /// The words of the training sentences by frequency, as many as there is room for.
    ///
    /// - Parameters:
    ///   - limit: words and marks in all.
    ///   - minimumCount: words that occur less often are left out.
    init(marks: [String], counts: WordCounts, index words: WordIndex, limit: Int?, minimumCount: Int) {
        var texts = marks
        for number in counts.ranked(minimumCount: minimumCount) {
            if let limit, texts.count >= limit { break }
            let text = words.text(Int(number))
            // A text that holds a mark as a word cannot mean it.
            if !Vocabulary.marks.contains(text) { texts.append(text) }
        }
        self.init(unchecked: texts)
    }

    private init(unchecked words: [String]) {
        self.words = words
        var index = WordIndex()
        for word in words { index.insert(word) }
        self.index = index
    }

    /// The number of a word or mark, or nil.
    package func number(of word: String) -> Int? { index.find(word) }

    /// The number of a word of a text, or nil if it is unknown or spelt like a mark.
    func find(_ word: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let number = index.find(word) else { return nil }
        return isMark(number) ? nil : number
    }

    /// The words of a text as numbers.
    func numbers(_ text: String, unknown: Int, lowerCase: Bool) -> [Int32] {
        var text = lowerCase ? text.lowercased() : text
        var numbers: [Int32] = []
        text.withUTF8 { bytes in
            TextFile.forEachWord(bytes) { numbers.append(Int32(clamping: find($0) ?? unknown)) }
        }
        return numbers
    }

    private func isMark(_ number: Int) -> Bool {
        number < Vocabulary.marks.count && Vocabulary.marks.contains(words[number])
    }

    package static func == (a: Vocabulary, b: Vocabulary) -> Bool { a.words == b.words }
    package func hash(into hasher: inout Hasher) { hasher.combine(words) }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self.init(unchecked: try container.decode([String].self))
        if index.count != words.count {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a word stands twice")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(words)
    }
}
