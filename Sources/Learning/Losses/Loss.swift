package import Tensors

/// What training makes small.
package protocol Loss: Sendable {
    /// The name in job files, which is Keras's in kebab-case.
    var name: String { get }

    /// The activation of the last layer that this loss computes together with itself, because the two are simpler and
    /// more exact as one.
    var fusedActivation: Activation? { get }

    /// The target of positions that do not count, such as padding.
    var ignoredTarget: Float? { get }

    /// Whether it says which outputs were right, so that there is an accuracy.
    var countsHits: Bool { get }

    /// Whether the mean loss is the mean negative logarithm of the probability that the right classes are given.
    var isLogLikelihood: Bool { get }

    /// Floats of the target that make one position, of whose losses the mean is taken.
    func targetsPerPosition(_ output: Shape) -> Int

    /// The same with each class's losses multiplied by its weight; nil if it knows no classes.
    func weighted(_ classWeights: [Float]) -> (any Loss)?

    /// The shape of one target for outputs of this shape.
    func targetShape(_ output: Shape) throws(LearningError) -> Shape

    func bind(_ output: Tensor) throws(LearningError) -> any LossStep

    /// Looks at every target once, before training.
    ///
    /// - Throws: `data` with the first that the loss cannot take.
    func check(_ samples: Samples, output: Shape, named name: String) throws(LearningError)
}

extension Loss {
    package var ignoredTarget: Float? { nil }
    package var countsHits: Bool { true }
    package var isLogLikelihood: Bool { false }
    package func targetsPerPosition(_ output: Shape) -> Int { 1 }
    package func weighted(_ classWeights: [Float]) -> (any Loss)? { nil }
}

/// A loss with its place in memory. Called on all shards at once; allocates nothing.
package protocol LossStep: Sendable {
    /// Adds the samples' losses to `totals`, and, when training, writes the gradient of `scale` times their sum with
    /// respect to the output.
    func run(_ frame: Frame, targets: FloatPointer, scale: Float, totals: inout Totals)
}

/// Sums over samples, from which means are made.
package struct Totals: Hashable, Sendable, Codable {
    package var samples = 0
    /// Targets: one a sample, or one for each position of a sequence.
    package var positions = 0
    package var loss = 0.0
    /// Positions whose likeliest class was the right one.
    package var correct = 0

    package init() {}

    package var meanLoss: Double { loss / Double(max(positions, 1)) }
    package var accuracy: Double { Double(correct) / Double(max(positions, 1)) }

    package static func += (a: inout Totals, b: Totals) {
        a.samples += b.samples
        a.positions += b.positions
        a.loss += b.loss
        a.correct += b.correct
    }
}
