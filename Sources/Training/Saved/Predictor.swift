import Datasets
import Learning
import Tensors

/// Computes what a saved model says of new samples.
package struct Predictor {
    private enum Engine {
        case network(StepRunner)
        case tree(DecisionTree)
    }

    private static let batchSize = 32

    private let engine: Engine
    private let inputs: [Shape]
    private let preprocessing: Preprocessing

    /// - Throws: `model` or `weights` if the directory does not hold what it says, or holds a generator.
    package init(_ model: SavedModel, threads: Int) throws(TrainingError) {
        inputs = model.inputs
        preprocessing = model.preprocessing
        switch model.content {
        case .tree(let tree): engine = .tree(tree)
        case .network(let layers):
            let shapes = Predictor.shapes(model)
            let runner = try Predictor.runner(layers, shapes, threads)
            try Weights.load(try SafetensorsFile(reading: model.path + "/" + Weights.fileName), into: runner)
            engine = .network(runner)
        case .adversaries:
            throw TrainingError(.model, "\(model.path): a generator makes samples: mltrain generate")
        }
    }

    /// Those to compile for, the longest first: a translation is made at the length of its sentence.
    private static func shapes(_ model: SavedModel) -> [[Shape]] {
        let shorter = (model.preprocessing.pair?.lengths ?? []).sorted(by: >).compactMap { try? Shape([$0]) }
        return [model.inputs] + shorter.map { [$0, $0] }.filter { $0 != model.inputs }
    }

    /// Without a loss of its own, the last layer's activation is part of the layer.
    static func runner(_ layers: LayerList, _ shapes: [[Shape]], _ threads: Int) throws(TrainingError) -> StepRunner {
        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: threads) })
        return try training { () throws(LearningError) in
            let models = try shapes.map { inputs throws(LearningError) in
                try CompiledModel(
                    network: NetworkWiring(layers).network(inputShapes: inputs), loss: MeanSquaredError(),
                    batchSize: batchSize, shards: threads)
            }
            return try StepRunner(models: models, optimizer: SGD(), pool: pool, seed: 0)
        }
    }

    /// - Parameter rows: samples as the model takes them, one after the other: `[count][inputs]`.
    /// - Returns: for each the probabilities of the classes, or the values.
    package func outputs(_ rows: FloatRows) throws(TrainingError) -> [[Float]] {
        let samples = try training(arrays: { () throws(TensorError) in
            let features = try FloatBuffer(count: rows.values.count)
            for (index, value) in rows.values.enumerated() { features.base[index] = value }
            return try Samples(
                count: rows.count, inputs: inputs, features: features, targetShape: try Shape([]),
                targets: try FloatBuffer(count: rows.count))
        })
        let indices = (0..<Int32(samples.count)).map { $0 }
        let flat: [Float]
        switch engine {
        case .tree(let tree):
            flat = try training { () throws(LearningError) in try tree.outputs(samples, indices) }
        case .network(let runner):
            let buffer = try training(arrays: { () throws(TensorError) in
                try FloatBuffer(count: samples.count * runner.model.output.shape.count)
            })
            try training { () throws(LearningError) in
                try indices.withUnsafeBufferPointer { indices throws(LearningError) in
                    try runner.predict(samples, indices, into: buffer.base)
                }
            }
            flat = buffer.values
        }
        let width = flat.count / max(samples.count, 1)
        return indices.map { Array(flat[(Int($0) * width)..<((Int($0) + 1) * width)]) }
    }

    /// Whether the model translates.
    package var translates: Bool { preprocessing.pair != nil }

    /// - Throws: `model` if the model does not translate.
    package func translate(_ sentences: [String]) throws(TrainingError) -> [String] {
        guard case .network(let runner) = engine, let encoding = preprocessing.pair else {
            throw TrainingError(.model, "this model does not translate")
        }
        let sources = sentences.map { Array(encoding.encode($0).prefix { $0 != 0 }) }
        return try training { () throws(LearningError) in
            try GreedyDecoder(runner: runner, encoding: encoding).translate(sources, stop: { false })
        }.map { encoding.decode($0).joined(separator: " ") }
    }
}

/// Samples one after the other.
package struct FloatRows: Sendable {
    package var count = 0
    package var values: [Float] = []

    mutating func append(_ row: some Sequence<Float>) {
        values += row
        count += 1
    }
}
