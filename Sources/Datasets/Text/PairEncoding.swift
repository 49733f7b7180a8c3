/// How a sentence and its translation become rows: 0 is padding, 1 the start, 2 the end, 3 an unknown word.
///
/// Rows come in a few lengths, so that short sentences are not computed at the length of the longest. Both sides of a
/// pair have the same one: the first that holds the longer of both.
package struct PairEncoding: Codable, Hashable, Sendable {
    package var source: Vocabulary
    package var target: Vocabulary
    package var lowerCase: Bool
    /// Ascending; the last one is the most words, the end mark counted, that a row can hold.
    package var lengths: [Int]

    package static let start = 1
    package static let end = 2
    static let unknown = 3
    static let marks = [Vocabulary.padding, Vocabulary.start, Vocabulary.end, Vocabulary.unknown]

    package var maximumLength: Int { lengths.last ?? 1 }

    /// The length of the row for so many words, the end mark counted.
    package func length(for words: Int) -> Int { lengths.first { $0 >= words } ?? maximumLength }

    /// The source row of a sentence to translate: its words and the end mark, padded to one of ``lengths``; what does
    /// not fit is cut off.
    package func encode(_ sentence: String) -> [Float] {
        let numbers = source.numbers(sentence, unknown: PairEncoding.unknown, lowerCase: lowerCase)
        let length = length(for: numbers.count + 1)
        let kept = numbers.prefix(length - 1).map { Float($0) } + [Float(PairEncoding.end)]
        return kept + [Float](repeating: 0, count: length - kept.count)
    }

    /// The words of a translation up to the first end mark or padding; marks are left out.
    package func decode(_ numbers: some Sequence<Int>) -> [String] {
        var words: [String] = []
        for number in numbers {
            if number == 0 || number == PairEncoding.end { break }
            if number != PairEncoding.start, target.words.indices.contains(number) {
                words.append(target.words[number])
            }
        }
        return words
    }
}
