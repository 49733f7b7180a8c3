import Tensors

/// How a sentence becomes a row of a fixed number of words: 0 is padding, 1 an unknown word.
package struct SentenceEncoding: Codable, Hashable, Sendable {
    /// At which end of a sequence something happens.
    package enum Side: String, Codable, CaseIterable, Sendable {
        case pre, post
    }

    package var vocabulary: Vocabulary
    package var sequenceLength: Int
    package var lowerCase: Bool
    /// Where zeros are added to sentences that are too short.
    package var padding: Side
    /// Where words are taken from sentences that are too long.
    package var truncating: Side

    static let unknown = 1
    static let marks = [Vocabulary.padding, Vocabulary.unknown]

    /// One row for the model: `[sequenceLength]`.
    package func encode(_ sentence: String) -> [Float] {
        let numbers = vocabulary.numbers(sentence, unknown: SentenceEncoding.unknown, lowerCase: lowerCase)
        var row = [Float](repeating: 0, count: sequenceLength)
        row.withUnsafeMutableBufferPointer { row in
            if let base = row.baseAddress { write(numbers[...], to: base) }
        }
        return row
    }

    /// - Parameter row: zeros.
    func write(_ numbers: ArraySlice<Int32>, to row: FloatPointer) {
        let kept = truncating == .pre ? numbers.suffix(sequenceLength) : numbers.prefix(sequenceLength)
        let start = padding == .pre ? sequenceLength - kept.count : 0
        for (place, number) in kept.enumerated() { row[start + place] = Float(number) }
    }
}
