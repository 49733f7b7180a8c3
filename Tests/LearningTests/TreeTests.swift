import Foundation
import Tensors
import Testing

@testable import Learning

/// Trees against scikit-learn's (`Benchmarks/golden/trees.py`), and what they must do whatever the data.
@Suite struct TreeTests {
    private static let three = DecisionTree.Task.classification(classes: 3)

    private func golden(_ target: String) throws -> Samples {
        let golden = try GoldenFile("trees")
        return try LossTests.samples(
            [4], try golden.values("features"), target: [], try golden.values(target))
    }

    private func indices(_ samples: Samples) -> [Int32] { Fixture.indices(samples) }

    private func compare(_ name: String, _ target: String, _ task: DecisionTree.Task, _ options: DecisionTree.Options)
        throws
    {
        let samples = try golden(target)
        let golden = try GoldenFile("trees")
        let tree = try DecisionTree.fit(samples, indices(samples), task: task, options: options)
        func expect(_ values: [Double], _ key: String) throws {
            let expected = try golden.values("\(name).\(key)")
            #expect(values.count == expected.count, "\(name).\(key)")
            for (a, b) in zip(values, expected) { #expect(abs(a - Double(b)) < 1e-5, "\(name).\(key)") }
        }
        try expect(tree.nodes.map { Double($0.split?.feature ?? -1) }, "feature")
        try expect(tree.nodes.map { $0.split?.threshold ?? -2 }, "threshold")
        try expect(tree.nodes.map(\.impurity), "impurity")
        try expect(tree.nodes.map { Double($0.samples) }, "samples")
        try expect(tree.importances, "importances")
        try expect(try tree.predict(samples, indices(samples)).map { Double($0) }, "predictions")
    }

    @Test func asInScikitLearn() throws {
        try compare("gini", "classes", Self.three, .init(maxDepth: 5, minSamplesLeaf: 4))
        try compare(
            "entropy", "classes", Self.three,
            .init(criterion: .entropy, maxDepth: 4, minSamplesSplit: 12, minSamplesLeaf: 3))
        try compare("variance", "values", .regression, .init(maxDepth: 5, minSamplesLeaf: 3))
        try compare("pruned", "classes", Self.three, .init(minSamplesLeaf: 4, ccpAlpha: 0.012))
        try compare("pruned-variance", "values", .regression, .init(minSamplesLeaf: 3, ccpAlpha: 0.02))
    }

    /// The best split of all samples by trying each, spelt out.
    private func bestImpurity(_ samples: Samples, classes: Int, _ least: Int) -> Double {
        func gini(_ rows: [Int]) -> Double {
            var counts = [Double](repeating: 0, count: classes)
            for row in rows { counts[Int(samples.targets.base[row])] += 1 }
            return Double(rows.count) - counts.reduce(0) { $0 + $1 * $1 } / Double(rows.count)
        }
        var best = Double.infinity
        for feature in 0..<samples.width {
            func value(_ row: Int) -> Float { samples.features.base[row * samples.width + feature] }
            for row in 0..<samples.count {
                let left = (0..<samples.count).filter { value($0) <= value(row) }
                let right = (0..<samples.count).filter { value($0) > value(row) }
                if left.count >= least, right.count >= least { best = min(best, gini(left) + gini(right)) }
            }
        }
        return best
    }

    @Test(arguments: 1...8)
    func theFirstSplitIsTheBest(seed: UInt64) throws {
        let samples = try Fixture.samples(61, [3], classes: 4, seed: seed)
        // Many equal values.
        for i in 0..<samples.features.count { samples.features.base[i] = (samples.features.base[i] * 4).rounded() }
        let tree = try DecisionTree.fit(
            samples, indices(samples), task: .classification(classes: 4), options: .init(maxDepth: 1, minSamplesLeaf: 3)
        )
        let split = try #require(tree.nodes[0].split)
        let found = [split.left, split.right].reduce(0.0) {
            $0 + tree.nodes[$1].impurity * Double(tree.nodes[$1].samples)
        }
        #expect(abs(found - bestImpurity(samples, classes: 4, 3)) < 1e-9)
    }

    @Test func fullTreesLearnEverySample() throws {
        // Enough for the radix sort; the last feature is noise without a number twice.
        let samples = try Fixture.samples(3001, [5], classes: 4, seed: 3)
        for criterion in [DecisionTree.Criterion.gini, .entropy] {
            let tree = try DecisionTree.fit(
                samples, indices(samples), task: .classification(classes: 4), options: .init(criterion: criterion))
            #expect(try tree.predict(samples, indices(samples)) == samples.targets.values)
            #expect(abs(tree.importances.reduce(0, +) - 1) < 1e-9)
            for node in tree.nodes {
                guard let split = node.split else { continue }
                #expect(node.samples == tree.nodes[split.left].samples + tree.nodes[split.right].samples)
            }
        }
        let tree = try DecisionTree.fit(samples, indices(samples), task: .regression)
        #expect(try tree.predict(samples, indices(samples)) == samples.targets.values)
    }

    @Test(arguments: [0, 1, 7, 1023, 1024, 5000])
    func sortingKeepsEqualValuesInOrder(count: Int) {
        var generator = SplitMix64(seed: 2)
        var values = (0..<count).map { _ in Float(generator.below(50)) - 25 }
        for i in values.indices where values[i] == 3 { values[i] = i % 2 == 0 ? -0.0 : 1e-30 }
        var sorted = SortedFeature()
        sorted.sort(count) { values[$0] }
        let expected = (0..<count).sorted { (values[$0], $0) < (values[$1], $1) }
        #expect((0..<count).map { sorted.place($0) } == expected)
        #expect((0..<count).map { sorted.value($0) } == expected.map { values[$0] })
    }

    @Test func exclusiveOrNeedsASplitWithoutGain() throws {
        let samples = try LossTests.samples([2], [0, 0, 0, 1, 1, 0, 1, 1], target: [], [0, 1, 1, 0])
        let tree = try DecisionTree.fit(samples, indices(samples), task: .classification(classes: 2))
        #expect(tree.leafCount == 4 && tree.depth == 2)
        // Of splits that are equally good the first feature's.
        #expect(tree.nodes[0].split?.feature == 0 && tree.nodes[0].split?.threshold == 0.5)
        #expect(tree.pruned(alpha: 0.6).nodes.count == 1)
    }

    @Test func rulesAreReadable() throws {
        let samples = try LossTests.samples(
            [2], [1, 0, 2, 0, 3, 5, 4, 9, 4, 1.25, 5, 9], target: [], [0, 0, 1, 1, 0, 0])
        let tree = try DecisionTree.fit(
            samples, indices(samples), task: .classification(classes: 2), options: .init(maxDepth: 2))
        #expect(
            tree.rules(featureNames: ["width"], classNames: ["no", "yes"]) == """
                x[1] <= 3.125
                |   no (3 samples)
                x[1] > 3.125
                |   width <= 4.5
                |   |   yes (2 samples)
                |   width > 4.5
                |   |   no (1 sample)

                """)
        #expect(tree.rules(maxDepth: 1).hasSuffix("\n|   class 1 (2 of 3 samples), ...\n"))
        #expect(tree.rules(maxDepth: 0) == "class 0 (4 of 6 samples), ...\n")
        #expect(DecisionTree.rounded(1.0 / 3) == "0.333333" && DecisionTree.rounded(-123456.789) == "-123457.0")
    }

    @Test func writtenAndReadAgain() throws {
        let samples = try golden("classes")
        let tree = try DecisionTree.fit(samples, indices(samples), task: Self.three, options: .init(maxDepth: 3))
        let data = try JSONEncoder().encode(tree)
        #expect(try JSONDecoder().decode(DecisionTree.self, from: data) == tree)
        let leaf = tree.leaf(samples.features.base)
        #expect(abs(tree.probabilities(leaf).reduce(0, +) - 1) < 1e-12)
    }

    @Test(arguments: [
        #"{"task":{"regression":{}},"features":1,"nodes":[]}"#,
        // A way back to the root, a child that is not there, a feature that is not there, two values, two parents.
        #"{"task":{"regression":{}},"features":1,"nodes":[{"split":{"feature":0,"threshold":1,"left":0,"right":0},"samples":1,"impurity":0,"value":[1]}]}"#,
        #"{"task":{"regression":{}},"features":1,"nodes":[{"split":{"feature":0,"threshold":1,"left":1,"right":2},"samples":1,"impurity":0,"value":[1]}]}"#,
        #"{"task":{"regression":{}},"features":1,"nodes":[{"split":{"feature":1,"threshold":1,"left":1,"right":2},"samples":2,"impurity":0,"value":[1]},{"samples":1,"impurity":0,"value":[1]},{"samples":1,"impurity":0,"value":[1]}]}"#,
        #"{"task":{"regression":{}},"features":1,"nodes":[{"samples":1,"impurity":0,"value":[1,2]}]}"#,
        #"{"task":{"regression":{}},"features":1,"nodes":[{"split":{"feature":0,"threshold":1,"left":1,"right":1},"samples":2,"impurity":0,"value":[1]},{"samples":1,"impurity":0,"value":[1]}]}"#,
    ])
    func hostileFilesAreRefused(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(DecisionTree.self, from: Data(text.utf8)) }
    }

    @Test func whatDoesNotFitIsRefusedWithItsPlace() throws {
        let samples = try Fixture.samples(5, [3])
        samples.features.base[3 * 3 + 1] = .nan
        let error = #expect(throws: LearningError.self) {
            try DecisionTree.fit(samples, indices(samples), task: Self.three)
        }
        #expect(error?.message.contains("row 3, column 1 is nan") == true)
        // Not among the indices: no matter.
        let tree = try DecisionTree.fit(samples, [0, 1, 2], task: Self.three)
        #expect(throws: LearningError.self) { try tree.predict(samples, [3]) }
        #expect(throws: LearningError.self) { try DecisionTree.fit(samples, [], task: Self.three) }
        #expect(throws: LearningError.self) { try DecisionTree.fit(samples, [7], task: Self.three) }
        samples.targets.base[0] = 3
        #expect(throws: LearningError.self) { try DecisionTree.fit(samples, [0], task: Self.three) }
        samples.targets.base[0] = .infinity
        #expect(throws: LearningError.self) { try DecisionTree.fit(samples, [0], task: .regression) }
    }
}
