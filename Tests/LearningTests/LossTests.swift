import Glibc
import Tensors
import Testing

@testable import Learning

/// Each loss against its plain form, on outputs given directly.
@Suite struct LossTests {
    /// Runs a loss on `[rows][shape]` outputs, through a network of one layer that hands its input on.
    struct Bench {
        let samples: Samples
        let model: CompiledModel

        init(_ samples: Samples, _ loss: any Loss, shards: Int = 1) throws {
            self.samples = samples
            model = try CompiledModel(
                network: .sequential(
                    inputShape: samples.shape, [(nil, Identity(activation: loss.fusedActivation ?? .linear))]),
                loss: loss, batchSize: samples.count, shards: shards, wantsInputGradient: true)
        }

        /// The sums, and the gradients by the outputs.
        func run() throws -> (totals: Totals, gradients: [Float]) {
            try model.check(samples, named: "test")
            let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: 1)
            let totals = try Fixture.indices(samples).withUnsafeBufferPointer { try runner.train(samples, $0) }
            let slot = try #require(model.inputs[0].gradient)
            let from = runner.arenas.base + model.plan.offsets[slot.index]
            return (totals, Array(UnsafeBufferPointer(start: from, count: samples.features.count)))
        }
    }

    static func samples(_ shape: [Int], _ rows: [Float], target: [Int], _ targets: [Float]) throws -> Samples {
        let (shape, targetShape) = (try Shape(shape), try Shape(target))
        let features = try FloatBuffer(count: rows.count)
        let values = try FloatBuffer(count: targets.count)
        for (i, x) in rows.enumerated() { features.base[i] = x }
        for (i, x) in targets.enumerated() { values.base[i] = x }
        return try Samples(
            count: rows.count / shape.count, shape: shape, features: features, targetShape: targetShape,
            targets: values)
    }

    private func doubles(_ p: FloatPointer, _ count: Int) -> [Double] { (0..<count).map { Double(p[$0]) } }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 16, 17, 33, 1000], [Float(0), 0.1])
    func sparseEqualsItsReference(classes: Int, smoothing: Float) throws {
        var generator = SplitMix64(seed: UInt64(classes))
        let samples = try Fixture.samples(5, [3, classes], target: [3], classes: classes, seed: 3)
        for i in 0..<samples.features.count { samples.features.base[i] *= 10 }
        let weights = (0..<classes).map { _ in generator.uniform(0, 2) }
        for loss in [
            SparseCategoricalCrossentropy(labelSmoothing: smoothing),
            SparseCategoricalCrossentropy(ignoring: 0, labelSmoothing: smoothing, classWeights: weights),
        ] {
            let (totals, _) = try Bench(samples, loss).run()
            var (sum, counted, correct) = (0.0, 0, 0)
            for row in 0..<15 {
                let z = doubles(samples.features.base + row * classes, classes)
                let target = Int(samples.targets.base[row])
                sum += loss.reference(z, target: target)
                if loss.ignoring == Float(target) { continue }
                counted += 1
                correct += z.firstIndex(of: z.max() ?? 0) == target ? 1 : 0
            }
            #expect(abs(totals.loss - sum) < 1e-5 * max(sum, 1))
            #expect(totals.positions == counted && totals.correct == correct && totals.samples == 5)
        }
    }

    @Test func ignoredPositionsHaveNoGradientWhateverStandsThere() throws {
        let samples = try LossTests.samples(
            [4, 3], [1, 2, 3, .nan, .nan, .nan, 0, 1, 0, .infinity, 0, 0], target: [4], [1, -1, 2, -1])
        let (totals, gradients) = try Bench(samples, SparseCategoricalCrossentropy(ignoring: -1)).run()
        #expect(totals.positions == 2 && totals.meanLoss.isFinite)
        #expect(gradients[3..<6].allSatisfy { $0 == 0 } && gradients[9...].allSatisfy { $0 == 0 })
        #expect(abs(gradients[0..<3].reduce(0, +)) < 1e-6 && gradients[1] < 0)
        // The mean is over two positions.
        #expect(abs(gradients[1] - Float((0.24472847 - 1) / 2)) < 1e-6)
    }

    @Test func aBatchOfPaddingAloneHasNoLoss() throws {
        let samples = try LossTests.samples([2, 3], [1, 2, 3, 4, 5, 6], target: [2], [0, 0])
        let (totals, gradients) = try Bench(samples, SparseCategoricalCrossentropy(ignoring: 0)).run()
        #expect(totals.positions == 0 && totals.loss == 0 && gradients.allSatisfy { $0 == 0 })
    }

    @Test func tiesGoToTheFirstClass() throws {
        let samples = try LossTests.samples([3], [1, 1, 0, 1, 1, 0], target: [], [0, 1])
        #expect(try Bench(samples, SparseCategoricalCrossentropy()).run().totals.correct == 1)
    }

    @Test(arguments: [2, 3, 9, 17])
    func categoricalEqualsItsReference(classes: Int) throws {
        var generator = SplitMix64(seed: 6)
        let count = 5 * 2
        var targets: [Float] = []
        for _ in 0..<count {
            let powers = (0..<classes).map { _ in generator.uniform(0, 1) }
            let sum = powers.reduce(0, +)
            targets += powers.map { $0 / sum }
        }
        let rows = (0..<(count * classes)).map { _ in generator.uniform(-5, 5) }
        let samples = try LossTests.samples([2, classes], rows, target: [2, classes], targets)
        let weights = (0..<classes).map { _ in generator.uniform(0, 2) }
        for loss in [
            CategoricalCrossentropy(), CategoricalCrossentropy(labelSmoothing: 0.2, classWeights: weights),
        ] {
            let (totals, _) = try Bench(samples, loss).run()
            let sum = (0..<count).reduce(0.0) {
                $0
                    + loss.reference(
                        doubles(samples.features.base + $1 * classes, classes),
                        targets: doubles(samples.targets.base + $1 * classes, classes))
            }
            #expect(abs(totals.loss - sum) < 1e-4)
            #expect(totals.positions == count)
        }
    }

    @Test func categoricalWithOneClassEachIsSparse() throws {
        let sparse = try Fixture.samples(7, [5], classes: 5)
        var targets = [Float](repeating: 0, count: 35)
        for row in 0..<7 { targets[row * 5 + Int(sparse.targets.base[row])] = 1 }
        let dense = try LossTests.samples([5], sparse.features.values, target: [5], targets)
        let a = try Bench(sparse, SparseCategoricalCrossentropy(labelSmoothing: 0.1)).run()
        let b = try Bench(dense, CategoricalCrossentropy(labelSmoothing: 0.1)).run()
        #expect(abs(a.totals.loss - b.totals.loss) < 1e-5 && a.totals.correct == b.totals.correct)
        for (x, y) in zip(a.gradients, b.gradients) { #expect(abs(x - y) < 1e-6) }
    }

    @Test(arguments: [1, 5, 8, 17, 1500])
    func binaryEqualsItsReference(width: Int) throws {
        var generator = SplitMix64(seed: 9)
        let rows = (0..<(3 * width)).map { _ in generator.uniform(-12, 12) }
        let targets = rows.indices.map { _ in Float(generator.below(3)) / 2 }
        let samples = try LossTests.samples([width], rows, target: width == 1 ? [] : [width], targets)
        for loss in [
            BinaryCrossentropy(), BinaryCrossentropy(ignoring: 0.5, labelSmoothing: 0.1, classWeights: [0.5, 3]),
        ] {
            let (totals, gradients) = try Bench(samples, loss).run()
            var (sum, correct, counted) = (0.0, 0, 0)
            for (z, t) in zip(rows, targets) {
                sum += loss.reference(Double(z), target: Double(t))
                if loss.ignoring == t { continue }
                counted += 1
                correct += (z > 0) == (t > 0.5) ? 1 : 0
            }
            #expect(abs(totals.loss - sum) < 1e-5 * max(sum, 1))
            #expect(totals.positions == counted && totals.correct == correct)
            for (i, gradient) in gradients.enumerated() where loss.ignoring == targets[i] { #expect(gradient == 0) }
        }
    }

    @Test func smallAndLargeBinaryLossesAreExact() throws {
        let samples = try LossTests.samples([1], [12, -12, 80, -80, 0], target: [], [1, 0, 0, 1, 1])
        for row in 0..<5 {
            let z = samples.features.base[row]
            let one = try LossTests.samples([1], [z], target: [], [samples.targets.base[row]])
            let loss = try Bench(one, BinaryCrossentropy()).run().totals.loss
            let margin = Double(samples.targets.base[row] == 1 ? z : -z)
            let expected = max(-margin, 0) + log1p(exp(-abs(margin)))
            #expect(abs(loss - expected) < 1e-6 * expected)
        }
    }

    @Test(arguments: [1, 7, 16, 1031])
    func regressionLossesEqualTheirReferences(width: Int) throws {
        var generator = SplitMix64(seed: 4)
        let rows = (0..<(3 * width)).map { _ in generator.uniform(-3, 3) }
        let targets = rows.indices.map { _ in Float(generator.below(5)) - 2 }
        let samples = try LossTests.samples([width], rows, target: [width], targets)
        func compare(_ loss: any Loss, _ reference: (Double, Double) -> Double) throws {
            let (totals, _) = try Bench(samples, loss).run()
            let sum = zip(rows, targets).reduce(0.0) { $0 + reference(Double($1.0), Double($1.1)) }
            #expect(abs(totals.loss - sum) < 1e-5 * max(sum, 1))
            #expect(totals.positions == targets.filter { $0 != loss.ignoredTarget }.count)
        }
        for ignored: Float? in [nil, 0] {
            let squared = MeanSquaredError(ignoring: ignored)
            try compare(squared) { squared.reference($0, target: $1) }
            let absolute = MeanAbsoluteError(ignoring: ignored)
            try compare(absolute) { absolute.reference($0, target: $1) }
            let huber = Huber(delta: 0.7, ignoring: ignored)
            try compare(huber) { huber.reference($0, target: $1) }
        }
    }

    @Test func notANumberStaysOne() throws {
        for at in [0, 9, 16] {
            var rows = [Float](repeating: 0.5, count: 17)
            rows[at] = .nan
            let classes = try LossTests.samples([17], rows, target: [], [3])
            let elements = try LossTests.samples([17], rows, target: [17], [Float](repeating: 0, count: 17))
            let distribution = try LossTests.samples([17], rows, target: [17], [1] + [Float](repeating: 0, count: 16))
            let cases: [(any Loss, Samples)] = [
                (SparseCategoricalCrossentropy(), classes),
                (SparseCategoricalCrossentropy(labelSmoothing: 0.1), classes),
                (CategoricalCrossentropy(), distribution), (BinaryCrossentropy(), elements),
                (MeanSquaredError(), elements), (MeanAbsoluteError(), elements), (Huber(), elements),
            ]
            for (loss, samples) in cases {
                #expect(throws: LearningError.self, "\(loss.name)") { _ = try Bench(samples, loss).run() }
            }
        }
    }

    @Test func targetsThatDoNotFitAreRefused() throws {
        func refuses(_ loss: any Loss, _ shape: [Int], target: [Int], _ targets: [Float]) throws {
            let samples = try LossTests.samples(
                shape, [Float](repeating: 0, count: shape.reduce(1, *)), target: target, targets)
            let bench = try Bench(samples, loss)
            #expect(throws: LearningError.self, "\(loss.name) \(targets)") {
                try bench.model.check(samples, named: "test")
            }
        }
        for wrong: Float in [-1, 3, 0.5, .nan, .infinity] {
            try refuses(SparseCategoricalCrossentropy(ignoring: -2), [3], target: [], [wrong])
        }
        for wrong: [Float] in [[0, 0, 0], [1, 1, 0], [2, -1, 0], [.nan, 1, 0]] {
            try refuses(CategoricalCrossentropy(), [3], target: [3], wrong)
        }
        for wrong: Float in [-0.1, 1.1, .nan] { try refuses(BinaryCrossentropy(), [1], target: [], [wrong]) }
        for wrong: Float in [.nan, .infinity, -.infinity] {
            try refuses(MeanSquaredError(), [1], target: [], [wrong])
            try refuses(Huber(), [1], target: [], [wrong])
        }
        try refuses(MeanSquaredError(), [3], target: [], [1])
    }

    @Test func optionsThatDoNotFitAreRefused() throws {
        let samples = try Fixture.samples(3, [3])
        let losses: [any Loss] = [
            SparseCategoricalCrossentropy(classWeights: [1, 2]), SparseCategoricalCrossentropy(labelSmoothing: 1),
            CategoricalCrossentropy(classWeights: [1, -1, 1]), BinaryCrossentropy(classWeights: [1, .nan]),
            BinaryCrossentropy(labelSmoothing: -0.1), Huber(delta: 0),
        ]
        for loss in losses {
            #expect(throws: LearningError.self, "\(loss.name)") { _ = try Bench(samples, loss) }
        }
    }

    @Test func balancedWeightsAsScikitLearn() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])
        #expect(ClassWeights.balanced([3, 2, 1]) == [2.0 / 3, 1, 2])
        #expect(ClassWeights.balanced([4, 0]) == [0.5, 1])
    }
}

/// Hands its input on, standing in for a last layer whose activation the loss computes.
struct Identity: Layer {
    static let kind = "identity"
    var activation: Activation

    var splitOutputActivation: (layer: any Layer, activation: Activation)? { (self, activation) }

    func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { inputs[0] }

    func bind(_ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder) throws(LearningError) -> BoundLayer {
        let output = plan.output(inputs[0].tensor.shape)
        return BoundLayer(output: output, step: Sum.Step(inputs: inputs, output: output))
    }
}
