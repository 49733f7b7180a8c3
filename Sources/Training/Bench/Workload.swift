import ConfigFile
import Learning
import Tensors

/// A model with made-up data, to measure the speed of its steps: the workloads that the benchmarks run on other
/// frameworks too.
package struct Workload: Sendable {
    package let name: String
    let layers: String
    let inputs: [Input]
    let batchSize: Int
    let target: Target

    /// What an input is filled with.
    enum Input: Sendable {
        case normal([Int])
        case tokens(Int, below: Int)
    }

    enum Target: Sendable {
        case classes([Int], below: Int)
        case binary
        case numbers([Int])
    }

    /// - Throws: `model` if the workload's own text is wrong.
    func network() throws(LearningError) -> Network {
        let collector = ConfigReader.Collector()
        var plan = TrainingPlan(file: name)
        do {
            let table = try TOMLParser.parse(layers, file: name)
            plan.readModel(ConfigReader(table, name: "model", file: name, collector: collector))
            try collector.check()
        } catch { throw LearningError(.model, "\(error)") }
        return try NetworkWiring(plan.layers, inputNames: ["source", "target"])
            .network(inputShapes: try inputs.map { input throws(LearningError) in try shape(input) })
    }

    var loss: any Loss {
        switch target {
        case .classes: SparseCategoricalCrossentropy()
        case .binary: BinaryCrossentropy()
        case .numbers: MeanSquaredError()
        }
    }

    /// One batch, drawn from a fixed seed.
    func samples() throws(LearningError) -> Samples {
        var generator = SplitMix64(seed: 1)
        do throws(TensorError) {
            let shapes = try inputs.map { input throws(TensorError) in try Workload.shape(of: input) }
            let width = shapes.reduce(0) { $0 + $1.count }
            let features = try FloatBuffer(count: batchSize * width)
            var position = 0
            for _ in 0..<batchSize {
                for (input, shape) in zip(inputs, shapes) {
                    for _ in 0..<shape.count {
                        switch input {
                        case .normal: features.base[position] = generator.normal()
                        case .tokens(_, let bound): features.base[position] = Float(generator.below(bound))
                        }
                        position += 1
                    }
                }
            }
            let targetShape: Shape
            let draw: (inout SplitMix64) -> Float
            switch target {
            case .classes(let dimensions, let bound):
                targetShape = try Shape(dimensions)
                draw = { Float($0.below(bound)) }
            case .binary:
                targetShape = try Shape([1])
                draw = { Float($0.below(2)) }
            case .numbers(let dimensions):
                targetShape = try Shape(dimensions)
                draw = { $0.normal() }
            }
            let targets = try FloatBuffer(count: batchSize * targetShape.count)
            for i in 0..<targets.count { targets.base[i] = draw(&generator) }
            return try Samples(
                count: batchSize, inputs: shapes, features: features, targetShape: targetShape, targets: targets)
        } catch { throw LearningError(error) }
    }

    private func shape(_ input: Input) throws(LearningError) -> Shape {
        do { return try Workload.shape(of: input) } catch { throw LearningError(error) }
    }

    private static func shape(of input: Input) throws(TensorError) -> Shape {
        switch input {
        case .normal(let dimensions): try Shape(dimensions)
        case .tokens(let steps, _): try Shape([steps])
        }
    }
}
