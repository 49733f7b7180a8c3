import Tensors
import Testing

@testable import Datasets

@Suite struct TextTests {
    let scratch = Scratch()

    private func values(_ samples: Samples, _ row: Int) -> [Float] {
        (0..<samples.width).map { samples.features.base[row * samples.width + $0] }
    }

    private func targets(_ samples: Samples, _ row: Int) -> [Float] {
        let width = samples.targetShape.count
        return (0..<width).map { samples.targets.base[row * width + $0] }
    }

    private func error(_ source: any DataSource) -> String? {
        do throws(DatasetError) {
            _ = try source.load(seed: 1)
            return nil
        } catch { return error.description }
    }

    @Test func linesAndWords() throws {
        let file = try TextFile(bytes: [0xef, 0xbb, 0xbf] + Array("Ab \t c\r\n\n \u{a0}d\u{c4}".utf8), path: "p")
        #expect(file.lines.count == 3)
        func words(_ file: TextFile, _ line: Int) -> [String] {
            var words: [String] = []
            file.forEachWord(ofLine: line) { words.append(String(decoding: $0, as: UTF8.self)) }
            return words
        }
        #expect(words(file, 0) == ["Ab", "c"] && words(file, 1) == [] && words(file, 2) == ["\u{a0}d\u{c4}"])
        let lower = try TextFile(bytes: Array("ÄB\nC".utf8), path: "p", lowerCase: true)
        #expect(words(lower, 0) == ["äb"] && words(lower, 1) == ["c"])
        #expect(try TextFile(bytes: [], path: "p").lines.isEmpty)
    }

    @Test func textThatIsNone() throws {
        let bad = #expect(throws: DatasetError.self) { try TextFile(bytes: Array("a\nb\n".utf8) + [0xff], path: "p") }
        #expect(bad?.description == "p:3: not UTF-8 text")
        let long = [UInt8](repeating: 97, count: TextFile.longestLine + 1)
        let error = #expect(throws: DatasetError.self) { try TextFile(bytes: [98, 10] + long, path: "p") }
        #expect(error?.description == "p:2: a line of 1048577 bytes; at most 1048576 are read")
    }

    @Test func wordsAreNumberedByTheirBytes() {
        var index = WordIndex()
        let words = (0..<5000).map { "w\($0 * 7919 % 5000)" }
        for (number, word) in words.enumerated() { #expect(index.insert(word) == number) }
        for (number, word) in words.enumerated() {
            #expect(index.find(word) == number)
            #expect(index.insert(word) == number)
            #expect(index.text(number) == word)
        }
        #expect(index.count == 5000 && index.find("none") == nil)
        // One letter, spelt in two ways.
        #expect(index.insert("\u{e9}") != index.insert("e\u{301}"))
    }

    @Test func classesOfSentences() throws {
        var source = TextClassesSource()
        source.classes = [
            ("no", scratch.write("no", "b a b\n\n  \nA c d e\n")), ("yes", scratch.write("yes", "a b <unk> a\n")),
        ]
        source.sequenceLength = 3
        source.lowerCase = true
        source.split = SplitRule(validation: 0)
        let data = try source.load(seed: 1)
        let samples = data.train[0].samples
        // a: 4, b: 3, c, d and e once, in this order.
        #expect(
            data.preprocessing.sentence?.vocabulary.words == ["<pad>", "<unk>", "b", "a", "c", "d", "e"]
                || data.preprocessing.sentence?.vocabulary.words == ["<pad>", "<unk>", "a", "b", "c", "d", "e"])
        #expect(data.preprocessing.sentence?.vocabulary.words[2] == "a")
        #expect(samples.count == 3 && samples.targets.values == [0, 0, 1])
        #expect(values(samples, 0) == [3, 2, 3])
        // The end of a sentence that is too long is kept; a mark in a text is no word.
        #expect(values(samples, 1) == [4, 5, 6] && values(samples, 2) == [3, 1, 2])
        #expect(data.classes == 2 && data.preprocessing.classes == ["no", "yes"] && data.vocabularySizes == [7])
        #expect(data.validation.isEmpty && data.test.isEmpty)

        let encoding = try #require(data.preprocessing.sentence)
        #expect(encoding.encode("E  zzz") == [0, 6, 1])
        source.padding = .post
        source.truncating = .post
        source.vocabularySize = 4
        let post = try source.load(seed: 1)
        #expect(post.preprocessing.sentence?.encode("a b c d") == [2, 3, 1])
        #expect(post.preprocessing.sentence?.encode("b") == [3, 0, 0])
        #expect(post.preprocessing.sentence?.encode("") == [0, 0, 0])
    }

    @Test func onlyTrainingSentencesMakeTheVocabulary() throws {
        var source = TextClassesSource()
        let lines = (0..<50).map { "w\($0) common" }.joined(separator: "\n")
        source.classes = [("a", scratch.write("a", lines)), ("b", scratch.write("b", "common b"))]
        source.sequenceLength = 4
        source.split = SplitRule(validation: 0.2, test: 0.3)
        let data = try source.load(seed: 5)
        let train = data.train[0].indices
        #expect(train.count == 29 && data.validation[0].indices.count == 7 && data.test[0].indices.count == 15)
        let expected = Set(train.filter { $0 < 50 }.map { "w\($0)" })
        let words = Set(try #require(data.preprocessing.sentence).vocabulary.words)
        #expect(Set((0..<50).map { "w\($0)" }).intersection(words) == expected)
        for index in data.test[0].indices where index < 50 {
            #expect(values(data.test[0].samples, Int(index))[2] == 1)
        }
    }

    @Test func classesThatCannotBeRead() {
        var source = TextClassesSource()
        source.classes = [("a", scratch.write("a", "x")), ("b", scratch.write("b", "\n \n"))]
        #expect(error(source) == scratch.path + "/b: there is no sentence in it")
        source.classes[1].path = scratch.path + "/none"
        #expect(error(source) == scratch.path + "/none: cannot open it: No such file or directory")
        source.classes[1].path = scratch.write("c", [0x61, 10, 0xc3])
        #expect(error(source) == scratch.path + "/c:2: not UTF-8 text")
        source.classes = [("a", scratch.write("a", "x"))]
        source.split = SplitRule(folds: 1)
        #expect(error(source) == scratch.path + "/a: no sample is left to train on")
    }

    @Test func pairsInBuckets() throws {
        var source = ParallelTextSource()
        source.train = .init(
            source: scratch.write("t.en", "a b c\na\n\na b c d e f g h\na b c\n"),
            target: scratch.write("t.de", "x y\nx\nz\nx\nx y y x\n"))
        source.validation = .init(
            source: scratch.write("v.en", "a q\n"), target: scratch.write("v.de", "x x x x x x\n"))
        source.bucketLengths = [4, 2, 100]
        source.maximumLength = 6
        let data = try source.load(seed: 1)
        let encoding = try #require(data.preprocessing.pair)
        #expect(encoding.lengths == [2, 4, 6])
        // The long pair and the blank one do not count.
        #expect(encoding.source.words == ["<pad>", "<start>", "<end>", "<unk>", "a", "b", "c"])
        #expect(encoding.target.words == ["<pad>", "<start>", "<end>", "<unk>", "x", "y"])
        #expect(data.train.map { $0.samples.inputs.map(\.count) } == [[2, 2], [4, 4], [6, 6]])
        #expect(data.train.map(\.origins) == [[1], [0], [4]])
        #expect(values(data.train[0].samples, 0) == [4, 2, 1, 4] && targets(data.train[0].samples, 0) == [4, 2])
        #expect(values(data.train[1].samples, 0) == [4, 5, 6, 2, 1, 4, 5, 0])
        #expect(targets(data.train[1].samples, 0) == [4, 5, 2, 0])
        // Cut: validation pairs are all kept.
        #expect(data.validation.count == 1)
        #expect(values(data.validation[0].samples, 0) == [4, 3, 2, 0, 0, 0, 1, 4, 4, 4, 4, 4])
        #expect(targets(data.validation[0].samples, 0) == [4, 4, 4, 4, 4, 2])
        #expect(data.test.isEmpty && data.classes == 6 && data.vocabularySizes == [7, 6])
        #expect(data.notes.count == 2 && data.notes[0].hasPrefix("1 pairs longer than 6"))
        #expect(encoding.encode("b zz") == [5, 3, 2, 0])
        #expect(encoding.encode("a a a a a a a a") == [4, 4, 4, 4, 4, 2])
        #expect(encoding.decode([1, 4, 5, 3, 99, 2, 4]) == ["x", "y", "<unk>"])
        let outline = try source.outline(seed: 1)
        #expect(outline.inputs.map(\.count) == [6, 6] && outline.trainCount == 3 && outline.loaded != nil)
        #expect(outline.dataBytes == 4 * (6 + 12 + 18 + 18))
    }

    @Test func everyPairIsInOneBucketThatFits() throws {
        var random = SplitMix64(seed: 8)
        func sentence() -> String {
            (0..<random.below(20)).map { _ in "w\(random.below(30))" }.joined(separator: " ") + "\n"
        }
        var source = ParallelTextSource()
        source.train = .init(
            source: scratch.write("s", (0..<200).map { _ in sentence() }.joined()),
            target: scratch.write("t", (0..<200).map { _ in sentence() }.joined()))
        source.maximumLength = 16
        source.split = SplitRule(validation: 0.2, test: 0.1)
        let data = try source.load(seed: 2)
        let all = data.train + data.validation + data.test
        #expect(Set(all.flatMap(\.origins)).count == all.reduce(0) { $0 + $1.samples.count })
        for bucket in data.train {
            let length = bucket.samples.inputs[0].count
            for row in 0..<bucket.samples.count {
                let row = values(bucket.samples, row)
                #expect(row[length] == 1 && row[..<length].contains(2))
                // Neither side would have fitted a shorter bucket.
                let longest = max(row[..<length].filter { $0 > 0 }.count, row[length...].filter { $0 > 0 }.count)
                #expect(length == 8 || longest > (source.bucketLengths.last { $0 < length } ?? 0))
            }
        }
    }

    @Test func pairsThatDoNotPair() {
        var source = ParallelTextSource()
        source.train = .init(source: scratch.write("a", "x\ny\n"), target: scratch.write("b", "x\n"))
        #expect(error(source) == "\(scratch.path)/a: 2 lines, but 1 in \(scratch.path)/b")
        source.train.source = scratch.write("a", String(repeating: "x ", count: 50))
        #expect(error(source) == "\(scratch.path)/a: no pair of at most 42 words is left to train on")
        source.train.source = scratch.write("a", "x")
        source.test = .init(source: scratch.write("c", ""), target: scratch.write("d", ""))
        #expect(error(source) == "\(scratch.path)/c: there is no sentence in it")
    }

    @Test func runningText() throws {
        var source = StreamSource()
        source.train = scratch.write("train", "a b\n\nc a <pad>\na\n")
        source.test = scratch.write("test", "a z\nb\n")
        source.sequenceLength = 3
        source.split = SplitRule(validation: 0)
        let data = try source.load(seed: 1)
        // a b . c a <pad> . a .  -- the first six words are in blocks.
        #expect(data.preprocessing.stream?.vocabulary.words == ["<pad>", "<unk>", "<end>", "a", "b", "c"])
        let samples = data.train[0].samples
        #expect(samples.count == 2)
        #expect(values(samples, 0) == [3, 4, 2] && targets(samples, 0) == [4, 2, 5])
        #expect(values(samples, 1) == [5, 3, 1] && targets(samples, 1) == [3, 1, 2])
        #expect(values(data.test[0].samples, 0) == [3, 1, 2] && targets(data.test[0].samples, 0) == [1, 2, 4])
        #expect(data.classes == 6)
        #expect(data.preprocessing.stream?.encode("b q") == [4, 1, 2])
        source.sequenceLength = 10
        #expect(
            error(source) == "\(scratch.path)/train: 9 words and ends of sentences, too few for one block of 10")
        source.train = scratch.write("train", "")
        #expect(error(source)?.contains("0 words") == true)
    }

    @Test func garbageIsAnErrorOrText() {
        var random = SplitMix64(seed: 12)
        let pieces: [[UInt8]] = [
            [10], [13], [32], [97], [98, 99], [0], [0xff], [0xc3], [0xa9], [0xef, 0xbb, 0xbf], [0xe2, 0x80, 0xa8],
        ]
        for _ in 0..<300 {
            let bytes = (0..<random.below(40)).flatMap { _ in pieces[random.below(pieces.count)] }
            let path = scratch.write("garbage", bytes)
            var classes = TextClassesSource()
            classes.classes = [("a", path), ("b", path)]
            classes.sequenceLength = 2
            classes.lowerCase = true
            _ = error(classes)
            var pairs = ParallelTextSource()
            pairs.train = .init(source: path, target: path)
            pairs.maximumLength = 3
            _ = error(pairs)
            var stream = StreamSource()
            stream.train = path
            stream.sequenceLength = 1 + random.below(3)
            _ = error(stream)
        }
    }
}
