import FoundationEssentials
import JobAPI
import Learning
import Tensors
import Testing

@testable import Datasets
@testable import Training

/// Greedy decoding with models whose every word is known beforehand: at each place they add what the source's word there
/// and the target's word there speak for.
@Suite struct GreedyDecoderTests {
    private static let words = 10
    private static let (start, end) = (PairEncoding.start, PairEncoding.end)

    /// - Parameters:
    ///   - source: for each word of the source, the word it speaks for at its own place.
    ///   - target: for each word of the translation, and the start mark, the word it speaks for as the next one.
    private func decoder(
        lengths: [Int] = [10, 14, 20], batchSize: Int = 3, source: [Int: Int] = [:], target: [Int: Int] = [:]
    ) throws -> GreedyDecoder {
        let count = Self.words
        let network = try lengths.map { length in
            try Network(
                inputShapes: [try Shape([length]), try Shape([length])],
                nodes: [
                    .init(name: "source", layer: Embedding(inputDim: count, outputDim: count), inputs: [.input(0)]),
                    .init(name: "target", layer: Embedding(inputDim: count, outputDim: count), inputs: [.input(1)]),
                    .init(name: "sum", layer: Add(), inputs: [.node(0), .node(1)]),
                    .init(name: "words", layer: Activate(.softmax), inputs: [.node(2)]),
                ])
        }
        let runner = try StepRunner(
            models: try network.reversed().map {
                try CompiledModel(
                    network: $0, loss: SparseCategoricalCrossentropy(), batchSize: batchSize, shards: 2)
            }, optimizer: SGD(), pool: try WorkerPool(workers: 2), seed: 1)
        for (name, table) in [("source", source), ("target", target)] {
            let parameter = try #require(runner.model.plan.parameters.first { $0.name == name + ".embeddings" })
            let matrix = runner.parameters.base + parameter.offset
            matrix.update(repeating: 0, count: parameter.count)
            for (word, next) in table { matrix[word * count + next] = 3 }
        }
        let vocabulary = try JSON.decode(
            Vocabulary.self, from: try JSON.encode(PairEncoding.marks + (4..<count).map { "word-\($0)" }))
        return GreedyDecoder(
            runner: runner,
            encoding: PairEncoding(source: vocabulary, target: vocabulary, lowerCase: false, lengths: lengths))
    }

    private func translate(_ decoder: GreedyDecoder, _ sources: [[Int]]) throws -> [[Int]] {
        try decoder.translate(sources.map { $0.map { Float($0) } }, stop: { false })
    }

    /// Each word is given to the model for the next one.
    @Test func followsItsOwnWords() throws {
        let decoder = try decoder(target: [Self.start: 4, 4: 7, 7: 5, 5: Self.end])
        #expect(
            try translate(decoder, [[9, Self.end], [8, 8, 8, 8, 8, 8, 8, Self.end]]) == [[4, 7, 5], [4, 7, 5]])
        #expect(decoder.encoding.decode([4, 7, 5]) == ["word-4", "word-7", "word-5"])
    }

    /// More sentences than fit a batch, of all lengths and in no order: each gets its own translation.
    @Test func translationsComeInTheOrderOfTheSources() throws {
        var table = [Self.end: Self.end]
        for word in 4..<10 { table[word] = 13 - word }
        let decoder = try decoder(source: table)
        var random = SplitMix64(seed: 5)
        let sources = (0..<17).map { index in
            (0..<(index * 7 % 13)).map { _ in 4 + random.below(6) } + [Self.end]
        }
        let translations = try translate(decoder, sources)
        #expect(translations == sources.map { $0.dropLast().map { 13 - $0 } })
        #expect(Set(sources.map { decoder.encoding.length(for: $0.count * 3 / 2 + 6) }) == [10, 14, 20])
    }

    @Test func anEndMarkAtOnceIsAnEmptyTranslation() throws {
        let decoder = try decoder(target: [Self.start: Self.end])
        #expect(try translate(decoder, [[5, Self.end], [5, 6, 7, 5, 6, 7, Self.end]]) == [[], []])
    }

    /// One sentence ends early, the other in its batch never: the first one stays as it is.
    @Test func withoutAnEndMarkTheLengthIsTheEnd() throws {
        let decoder = try decoder(source: [Self.end: Self.end], target: [Self.start: 6, 6: 6])
        // The source's end mark is as loud as the words before it; of equals the first, the end mark, is taken.
        let translations = try translate(decoder, [[8, 8, Self.end], [8, 8], Array(repeating: 8, count: 12)])
        #expect(translations[0] == [6, 6])
        #expect(translations[1] == Array(repeating: 6, count: 10))
        // Half as long again as the source and some would be 24; 20 is the longest there is.
        #expect(translations[2] == Array(repeating: 6, count: 20))
    }

    @Test func ofALongSourceTheBeginningIsTranslated() throws {
        let decoder = try decoder(lengths: [6], source: [4: 9, 5: 8, 6: 7, Self.end: Self.end])
        let source = (0..<30).map { 4 + $0 % 3 } + [Self.end]
        #expect(try translate(decoder, [source, [6, Self.end]]) == [[9, 8, 7, 9, 8, 7], [7]])
    }

    @Test func nothingToTranslate() throws {
        let decoder = try decoder(target: [Self.start: 4, 4: Self.end])
        #expect(try translate(decoder, []) == [])
        #expect(try translate(decoder, [[], [Self.end]]) == [[4], [4]])
    }

    /// A model that does not know a word of the source says so, and goes on with the next call.
    @Test func unknownNumbersAreRefused() throws {
        let decoder = try decoder(target: [Self.start: Self.end])
        let error = #expect(throws: LearningError.self) { try translate(decoder, [[Self.words, Self.end]]) }
        #expect(error?.message.contains("knows 0 to 9") == true)
        #expect(try translate(decoder, [[4, Self.end]]) == [[]])
    }

    @Test func stopsBetweenBatches() throws {
        let decoder = try decoder(batchSize: 2, target: [Self.start: Self.end])
        let sources = [[Float]](repeating: [5, Float(Self.end)], count: 5)
        var asked = 0
        let error = #expect(throws: LearningError.self) {
            _ = try decoder.translate(sources) {
                asked += 1
                return asked == 3
            }
        }
        #expect(error?.code == .interrupted && asked == 3)
    }
}
