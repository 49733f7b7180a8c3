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
    /// The same for any number of threads, so that results are, too.
    private static let shards = 4

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
            let weights = try SafetensorsFile(reading: model.path + "/" + Weights.fileName)
            engine = .network(try Predictor.runner(layers, Predictor.shapes(model), weights, threads: threads))
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
    ///
    /// - Parameter prefix: of the parameters' names in the file.
    static func runner(
        _ layers: LayerList, _ shapes: [[Shape]], _ weights: SafetensorsFile, prefix: String = "", threads: Int
    ) throws(TrainingError) -> StepRunner {
        let models = try training { () throws(LearningError) in
            try shapes.map { inputs throws(LearningError) in
                try CompiledModel(
                    network: NetworkWiring(layers).network(inputShapes: inputs), loss: MeanSquaredError(),
                    batchSize: batchSize, shards: shards)
            }
        }
        // A model that claims to be large must have the weights for it before there is room made for them.
        try Weights.check(weights, models.first?.plan.parameters ?? [], prefix: prefix)
        let pool = try training(arrays: { () throws(TensorError) in try WorkerPool(workers: min(threads, shards)) })
        let runner = try training { () throws(LearningError) in
            try StepRunner(models: models, optimizer: SGD(), pool: pool, seed: 0)
        }
        try Weights.load(weights, into: runner, prefix: prefix)
        return runner
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
        if let bad = flat.firstIndex(where: { !$0.isFinite }) {
            throw TrainingError(
                .model,
                "what the model says of sample \(bad * samples.count / flat.count + 1) is no finite number: the sample holds "
                    + "extreme values, or the weights do")
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
