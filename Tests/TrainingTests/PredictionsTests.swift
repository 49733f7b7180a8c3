import Testing

@testable import Training

/// What is computed from all predictions together.
@Suite struct PredictionsTests {
    @Test func ofEquallyLikelyClassesTheFirst() throws {
        let predictions = Predictions(
            targets: [0, 1, 2, 2], outputs: [0.4, 0.4, 0.2, 0.2, 0.4, 0.4, 0.3, 0.3, 0.4, 0.5, 0, 0.5], width: 3)
        #expect(try predictions.confusion() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]])
        #expect(predictions.accuracy == 0.75)
    }

    /// One output is the probability of the second class; half is not more likely than half.
    @Test func twoClassesWithOneOutput() throws {
        let predictions = Predictions(targets: [0, 0, 1, 1, 1], outputs: [0.5, 0.75, 0.5, 0.5001, 1])
        #expect(try predictions.confusion() == [[1, 1], [1, 2]])
        #expect(predictions.accuracy == 0.6)
        // Of class 1: found 2, of them missed 1, wrongly found 1.
        #expect(try predictions.value(of: .precision) == 2.0 / 3)
        #expect(try predictions.value(of: .recall) == 2.0 / 3)
        #expect(try predictions.value(of: .f1) == 2.0 / 3)
        // Six pairs: 0.5 against 0.5 (a tie), 0.5001 and 1; 0.75 against the same: beaten by 1 alone.
        #expect(try predictions.value(of: .auc) == (0.5 + 1 + 1 + 0 + 0 + 1) / 6)
    }

    @Test func twoClassesWithTwoOutputsAreScoredByTheSecond() throws {
        let predictions = Predictions(
            targets: [0, 1, 1, 0], outputs: [0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.3, 0.7], width: 2)
        #expect(try predictions.confusion() == [[1, 1], [1, 1]])
        #expect(try predictions.value(of: .precision) == 0.5)
        // Of the four pairs 0.4 against 0.7 alone is in the wrong order.
        #expect(try predictions.value(of: .auc) == 0.75)
    }

    @Test func moreClassesCountTheSame() throws {
        let predictions = Predictions(
            targets: [0, 0, 0, 1], outputs: [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0], width: 3)
        // Class 2 is neither there nor predicted, so it does not count.
        #expect(try predictions.value(of: .precision) == (1 + 0.5) / 2)
        #expect(try predictions.value(of: .recall) == (2.0 / 3 + 1) / 2)
        let f1 = try #require(try predictions.value(of: .f1))
        #expect(abs(f1 - (0.8 + 2.0 / 3) / 2) < 1e-12)
    }

    @Test func numbers() throws {
        let predictions = Predictions(targets: [1, 2, 6], outputs: [2, 2, 4])
        #expect(try predictions.value(of: .mae) == 1)
        let rmse = try #require(try predictions.value(of: .rmse))
        #expect(abs(rmse * rmse - 5.0 / 3) < 1e-12)
        // The targets' mean is 3, their squares about it 4 + 1 + 9.
        let r2 = try #require(try predictions.value(of: .r2))
        #expect(abs(r2 - (1 - 5.0 / 14)) < 1e-12)
        #expect(try predictions.value(of: .bleu) == nil)
        #expect(try predictions.value(of: .perplexity) == nil)
    }

    /// A model is not thrown away after training because one of its parts has a single class.
    @Test func withoutBothClassesThereIsNoCurve() throws {
        #expect(try Predictions(targets: [1, 1], outputs: [0.2, 0.8]).value(of: .auc) == nil)
        #expect(try Predictions(targets: [0, 0], outputs: [0.2, 0.8]).value(of: .auc) == nil)
    }

    /// As the loss and the accuracy do: -1 is no class, and 9 no target to come near to.
    @Test func ignoredTargetsDoNotCount() throws {
        var classes = Predictions(targets: [0, -1, 1, -1], outputs: [1, 0, 1, 0, 0, 1, 0, 1], width: 2)
        classes.leaveOut(-1)
        #expect(try classes.confusion() == [[1, 0], [0, 1]])
        #expect(try classes.value(of: .precision) == 1)

        var numbers = Predictions(targets: [1, 9, 9, 3], outputs: [2, 0, 0, 3], width: 2)
        numbers.leaveOut(9)
        #expect(try numbers.value(of: .mae) == 0.5)

        numbers.targets = [9, 9]
        numbers.outputs = [0, 1]
        numbers.leaveOut(9)
        #expect(try numbers.value(of: .rmse) == nil)
        #expect(try numbers.confusion() == nil)
    }
}
