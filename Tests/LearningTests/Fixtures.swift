import Learning
import Tensors

/// Small models and data for tests.
enum Fixture {
    /// Gaussian-like features and random classes, one for each position of the target.
    static func samples(
        _ count: Int, _ dimensions: [Int], target: [Int] = [], classes: Int = 3, seed: UInt64 = 1
    ) throws -> Samples {
        let shape = try Shape(dimensions)
        let targetShape = try Shape(target)
        let features = try FloatBuffer(count: count * shape.count)
        let targets = try FloatBuffer(count: count * targetShape.count)
        var generator = SplitMix64(seed: seed)
        for i in 0..<features.count {
            features.base[i] = (0..<4).reduce(0) { sum, _ in sum + generator.uniform(-0.8, 0.8) }
        }
        for i in 0..<targets.count { targets.base[i] = Float(generator.below(classes)) }
        return try Samples(
            count: count, shape: shape, features: features, targetShape: targetShape, targets: targets)
    }

    /// Points whose class is the largest of their first `classes` features: an affine model can learn it.
    static func separable(_ count: Int, features width: Int = 6, classes: Int = 3, seed: UInt64 = 5) throws -> Samples {
        let samples = try samples(count, [width], classes: classes, seed: seed)
        for row in 0..<count {
            let x = samples.features.base + row * width
            let best = (0..<classes).max { x[$0] < x[$1] } ?? 0
            x[best] += 1
            samples.targets.base[row] = Float(best)
        }
        return samples
    }

    static func model(
        _ samples: Samples, _ layers: [any Layer], batchSize: Int, shards: Int = 1, wantsInputGradient: Bool = false
    ) throws -> CompiledModel {
        try CompiledModel(
            network: .sequential(inputShape: samples.shape, layers.map { (nil, $0) }),
            loss: SparseCategoricalCrossentropy(), batchSize: batchSize, shards: shards,
            wantsInputGradient: wantsInputGradient)
    }

    static func indices(_ samples: Samples) -> [Int32] { (0..<Int32(samples.count)).map { $0 } }
}

/// An optimiser that changes nothing, so that gradients can be looked at.
struct Still: Optimizer {
    let name = "still"
    let learningRate: Float = 0
    let momentCount = 0
    func update(
        _ parameters: FloatPointer, _ gradients: FloatPointer, moments: FloatPointer, momentStride: Int, count: Int,
        step: Int, factor: Float
    ) {}
}

/// Sums its inputs: stands in for a residual connection.
struct Sum: Layer {
    static let kind = "sum"

    func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape { inputs[0] }

    func bind(_ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder) throws(LearningError) -> BoundLayer {
        let output = plan.output(inputs[0].tensor.shape)
        return BoundLayer(output: output, step: Step(inputs: inputs, output: output))
    }

    struct Step: LayerStep {
        let inputs: [LayerInput]
        let output: Tensor

        func forward(_ frame: Frame) {
            for i in 0..<(frame.rows * output.shape.count) {
                frame[output.value][i] = inputs.reduce(0) { $0 + frame[$1.tensor.value][i] }
            }
        }

        func backward(_ frame: Frame) {
            guard let from = output.gradient else { return }
            for input in inputs {
                guard let to = input.tensor.gradient else { continue }
                for i in 0..<(frame.rows * output.shape.count) {
                    frame[to][i] = (input.accumulates ? frame[to][i] : 0) + frame[from][i]
                }
            }
        }
    }
}

/// Watches without asking for anything.
final class Observer: TrainingObserver {
    var epochs: [EpochSummary] = []
    var steps = 0
    var stopsAfter = Int.max
    var wantsStop: Bool { steps >= stopsAfter }
    func stepped(epoch: Int, step: Int, samples: Int) { steps += 1 }
    func ended(_ epoch: EpochSummary) { epochs.append(epoch) }
}
