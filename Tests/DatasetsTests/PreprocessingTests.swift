import Testing

@testable import Datasets

/// A description of how samples were prepared may come from anywhere: what cannot be gone by is named.
@Suite struct PreprocessingTests {
    private let scratch = Scratch()

    @Test func whatReadersWriteIsSound() throws {
        #expect(try pairs().problem == nil)
        #expect(try sentences().problem == nil)
        #expect(try records().problem == nil)
        #expect(Preprocessing(reader: "ratings", inputShapes: [[1], [1]]).problem == nil)
    }

    private func pairs() throws -> Preprocessing {
        var source = ParallelTextSource()
        source.train = .init(source: scratch.write("t.en", "a b c\na\n"), target: scratch.write("t.de", "x y\nx\n"))
        source.bucketLengths = [4, 2]
        source.maximumLength = 6
        source.split = SplitRule(validation: 0)
        return try source.load(seed: 1).preprocessing
    }

    private func sentences() throws -> Preprocessing {
        var source = TextClassesSource()
        source.classes = [("no", scratch.write("no", "b a\n")), ("yes", scratch.write("yes", "a b\n"))]
        source.sequenceLength = 3
        source.split = SplitRule(validation: 0)
        return try source.load(seed: 1).preprocessing
    }

    private func records() throws -> Preprocessing {
        var source = CSVSource()
        source.file = scratch.write("t.csv", "x,z,y\n1,2,a\n3,4,b\n")
        source.target = "y"
        source.split = SplitRule(validation: 0)
        return try source.load(seed: 1).preprocessing
    }

    @Test func shapesMustBe() {
        for shapes in [[], [[0]], [[-3, 4]], [[3], [0]], [[Int.max, 2]]] as [[[Int]]] {
            #expect(Preprocessing(reader: "idx", inputShapes: shapes).problem != nil, "\(shapes)")
        }
    }

    @Test(arguments: [[], [0, 6], [-1, 6], [4, 2, 6], [2, 2, 6], [2, 4, 7]]) func lengthsAscend(lengths: [Int]) throws {
        var wrong = try pairs()
        wrong.pair?.lengths = lengths
        #expect(wrong.problem != nil)
    }

    @Test func whatIsPreparedMustFitTheModel() throws {
        var sentences = try sentences()
        for length in [-3, 0, 4, Int.max] {
            sentences.sentence?.sequenceLength = length
            #expect(sentences.problem == "sentences of \(length), but the model takes 3 numbers")
        }
        var recordings = Preprocessing(reader: "audio", inputShapes: [[8, 1]])
        for (count, isSound) in [(8, true), (-8, false), (0, false), (9, false)] {
            recordings.recording = RecordingPreparation(
                sampleRate: 8000, sampleCount: count, loudness: .peak, alignment: .center)
            #expect((recordings.problem == nil) == isSound, "\(count)")
        }
        var records = try records()
        records.table?.columns[1].scale = 0
        #expect(records.problem == "column \"z\" is divided by 0.0")
        records.table?.columns[1].scale = .nan
        #expect(records.problem != nil)
        records.table?.columns.removeLast()
        #expect(records.problem == "records of 1, but the model takes 2 numbers")
    }
}
