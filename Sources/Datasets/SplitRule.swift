/// How samples are divided among training, validation and test.
package struct SplitRule: Hashable, Sendable {
    /// Part of the samples left after the test samples, from 0 to below 1.
    package var validation: Double
    /// Part of all samples, from 0 to below 1. Does nothing when there are folds.
    package var test: Double
    /// Cross-validation: this many parts of all samples, of which one is the test set.
    package var folds: Int?
    /// Which one, from 0.
    package var fold: Int
    /// Whether each class is divided by itself, so that every part has the classes in the same proportions.
    package var isStratified: Bool

    package init(
        validation: Double = 0.1, test: Double = 0, folds: Int? = nil, fold: Int = 0, isStratified: Bool = false
    ) {
        self.validation = validation
        self.test = test
        self.folds = folds
        self.fold = fold
        self.isStratified = isStratified
    }

    /// Whether test samples are taken from the others.
    package var holdsOutTest: Bool { folds != nil || test > 0 }

    /// The same with nothing held out for the test, for data with a test set of their own.
    package var withoutTest: SplitRule { SplitRule(validation: validation, isStratified: isStratified) }
}
