import Tensors
import Testing

@testable import Datasets

@Suite struct SplitTests {
    @Test func partsAreDisjointCompleteAndSeeded() {
        for (count, fraction, held) in [(100, 0.1, 10), (7, 0.5, 4), (10, 0.0, 0), (1, 0.4, 0), (0, 0.5, 0)] {
            let split = Split(count: count, rule: SplitRule(validation: fraction), seed: 4)
            #expect(split.validation.count == held)
            #expect((split.train + split.validation).sorted() == (0..<Int32(count)).map { $0 })
            #expect(split == Split(count: count, rule: SplitRule(validation: fraction), seed: 4))
        }
        let a = Split(count: 100, rule: SplitRule(validation: 0.2), seed: 1)
        #expect(a != Split(count: 100, rule: SplitRule(validation: 0.2), seed: 2))
        // Not just the end of the file.
        #expect(a.validation.sorted() != (80..<100).map { Int32($0) })
    }

    @Test func momentsComeFromTheTrainingSamplesAlone() {
        // Samples 0 and 2 train; sample 1 would move the mean far away.
        let bytes: [UInt8] = [10, 20, 255, 255, 30, 40]
        let normalization = Normalization(.standardize, bytes: bytes[...], width: 2, indices: [0, 2])
        #expect(normalization.mean == 25)
        #expect(abs(normalization.deviation - 125.0.squareRoot()) < 1e-12)
        #expect(abs(normalization.table[25]) < 1e-7)
        let alike = Normalization(.standardize, bytes: [9, 9], width: 1, indices: [0, 1])
        #expect(alike.deviation == 1)
        #expect(Normalization(.none, bytes: [], width: 1, indices: []).table[200] == 200)
    }

    @Test func theOrderIsWhatTheDocumentationSays() {
        // Computed by the description of `Split` in Python, with whole numbers alone.
        let split = Split(count: 10, rule: SplitRule(validation: 0.25, test: 0.2), seed: 7)
        #expect(split.train == [0, 6, 5, 9, 3, 7])
        #expect(split.validation == [8, 4])
        #expect(split.test == [2, 1])
    }

    @Test func testSamplesAreHeldOutFirst() {
        let split = Split(count: 100, rule: SplitRule(validation: 0.1, test: 0.2), seed: 4)
        #expect(split.test.count == 20 && split.validation.count == 8 && split.train.count == 72)
        #expect((split.train + split.validation + split.test).sorted() == (0..<100).map { Int32($0) })
        let pool = Split((0..<100).map { Int32(3 * $0) }, rule: SplitRule(validation: 0.1, test: 0.2), seed: 4)
        #expect(pool.test == split.test.map { 3 * $0 })
    }

    @Test(arguments: [(10, 5), (11, 3), (4, 7), (0, 2)])
    func everySampleIsInTheTestOfOneFold(count: Int, folds: Int) {
        var all: [Int32] = []
        for fold in 0..<folds {
            let split = Split(count: count, rule: SplitRule(folds: folds, fold: fold), seed: 9)
            #expect(abs(split.test.count - count / folds) <= 1)
            #expect((split.train + split.validation + split.test).sorted() == (0..<Int32(count)).map { $0 })
            all += split.test
        }
        #expect(all.sorted() == (0..<Int32(count)).map { $0 })
    }

    @Test func stratifiedPartsHaveTheClassesInProportion() {
        // One in ten is of class 1.
        let classes = (0..<200).map { Int32($0 % 10 == 0 ? 1 : 0) }
        let rule = SplitRule(validation: 0.25, test: 0.2, isStratified: true)
        let split = Split(count: 200, rule: rule, seed: 3, classes: classes)
        func rare(_ part: [Int32]) -> Int { part.filter { classes[Int($0)] == 1 }.count }
        #expect(split.test.count == 40 && rare(split.test) == 4)
        #expect(split.validation.count == 40 && rare(split.validation) == 4)
        #expect(split.train.count == 120 && rare(split.train) == 12)
        for fold in 0..<5 {
            let split = Split(
                count: 200, rule: SplitRule(folds: 5, fold: fold, isStratified: true), seed: 3, classes: classes)
            #expect(rare(split.test) == 4)
        }
    }
}
