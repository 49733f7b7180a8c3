import Glibc
import Tensors
import Testing

@testable import Learning

/// Metrics as scikit-learn and sacrebleu have them: `Benchmarks/golden/metrics.py`.
@Suite struct MetricTests {
    let golden: GoldenFile

    init() throws { golden = try GoldenFile("metrics") }

    private func integers(_ name: String) throws -> [Int] { try golden.values(name).map { Int($0) } }

    private func expect(_ values: [Double], _ name: String) throws {
        let expected = try golden.values(name)
        #expect(values.count == expected.count)
        for (a, b) in zip(values, expected) { #expect(abs(a - Double(b)) < 1e-6 * max(abs(a), 1), "\(name)") }
    }

    @Test func classification() throws {
        let (targets, predictions) = (try integers("targets"), try integers("predictions"))
        let matrix = try ConfusionMatrix(targets: targets, predictions: predictions, classes: 5)
        try expect([Metrics.accuracy(targets: targets, predictions: predictions)], "accuracy")
        try expect([matrix.accuracy], "accuracy")
        try expect(matrix.counts.map { Double($0) }, "confusion")
        try expect((0..<5).map { matrix.precision($0) }, "precision")
        try expect((0..<5).map { matrix.recall($0) }, "recall")
        try expect((0..<5).map { matrix.f1($0) }, "f1")
        try expect([matrix.macroPrecision, matrix.macroRecall, matrix.macroF1], "macro")
        // A class that is nowhere changes no mean.
        let wider = try ConfusionMatrix(targets: targets, predictions: predictions, classes: 7)
        #expect(wider.macroF1 == matrix.macroF1 && wider.precision(6) == 0)
    }

    @Test func twoClasses() throws {
        let binary = try integers("binary")
        let scores = try golden.values("scores")
        try expect([Metrics.rocAUC(targets: binary.map { $0 == 1 }, scores: scores)], "auc")
        let matrix = try ConfusionMatrix(
            targets: binary, predictions: scores.map { $0 > 0.5 ? 1 : 0 }, classes: 2)
        try expect([matrix.precision(1), matrix.recall(1), matrix.f1(1)], "binary-prf")
    }

    @Test func areaUnderTheCurveIsTheShareOfPairs() throws {
        var generator = SplitMix64(seed: 3)
        for _ in 0..<20 {
            let targets = [true, false] + (0..<21).map { _ in generator.below(3) == 0 }
            let scores = targets.map { _ in Float(generator.below(6)) }
            var (won, pairs) = (0.0, 0.0)
            for (i, a) in scores.enumerated() where targets[i] {
                for (j, b) in scores.enumerated() where !targets[j] {
                    pairs += 1
                    won += a > b ? 1 : a == b ? 0.5 : 0
                }
            }
            #expect(abs(try Metrics.rocAUC(targets: targets, scores: scores) - won / pairs) < 1e-12)
        }
    }

    @Test func regression() throws {
        let (values, guesses) = (try golden.values("values"), try golden.values("guesses"))
        try expect([Metrics.rootMeanSquaredError(targets: values, predictions: guesses)], "rmse")
        try expect([Metrics.meanAbsoluteError(targets: values, predictions: guesses)], "mae")
        try expect([Metrics.r2(targets: values, predictions: guesses)], "r2")
        #expect(try Metrics.r2(targets: [2, 2], predictions: [2, 2]) == 1)
        #expect(try Metrics.r2(targets: [2, 2], predictions: [2, 3]) == 0)
        #expect(try Metrics.r2(targets: [1, 2], predictions: [.nan, 3]).isNaN)
    }

    @Test func perplexityOfAFairChoice() {
        #expect(abs(Metrics.perplexity(meanLoss: log(7)) - 7) < 1e-12)
        #expect(Metrics.perplexity(meanLoss: 0) == 1)
    }

    @Test(arguments: ["close", "long", "smoothed", "short", "none"])
    func bleu(name: String) throws {
        func sentences(_ kind: String) throws -> [[Int]] {
            var tokens = try integers("\(name).\(kind)")[...]
            return try integers("\(name).\(kind).lengths").map { length in
                defer { tokens = tokens.dropFirst(length) }
                return Array(tokens.prefix(length))
            }
        }
        let bleu = try BLEU(translations: try sentences("translations"), references: try sentences("references"))
        try expect([bleu.score], "\(name).score")
        try expect(bleu.precisions, "\(name).precisions")
        try expect([bleu.brevityPenalty], "\(name).penalty")
    }

    @Test func emptyTranslations() throws {
        let bleu = try BLEU(translations: [[String]()], references: [["a"]])
        #expect(bleu.score == 0 && bleu.brevityPenalty == 0)
        #expect(try BLEU(translations: [["a", "b", "c", "d"]], references: [["a", "b", "c", "d"]]).score > 99.999)
    }

    @Test func whatDoesNotFitIsRefused() {
        #expect(throws: LearningError.self) { try Metrics.accuracy(targets: [], predictions: []) }
        #expect(throws: LearningError.self) { try Metrics.r2(targets: [1], predictions: [1, 2]) }
        #expect(throws: LearningError.self) {
            try ConfusionMatrix(targets: [0, 3], predictions: [0, 1], classes: 3)
        }
        #expect(throws: LearningError.self) { try Metrics.rocAUC(targets: [true, true], scores: [1, 2]) }
        #expect(throws: LearningError.self) { try Metrics.rocAUC(targets: [true, false], scores: [1, .nan]) }
        #expect(throws: LearningError.self) { try BLEU(translations: [["a"]], references: []) }
    }
}
