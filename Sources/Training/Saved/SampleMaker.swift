import Datasets
import Learning
import Tensors

/// Makes samples with a saved generator.
package struct SampleMaker {
    private let runner: StepRunner
    private let latent: Int
    private let shape: Shape
    private let scaling: PixelScaling?

    /// - Throws: `model` or `weights` if the directory does not hold a sound generator.
    package init(_ model: SavedModel, threads: Int) throws(TrainingError) {
        guard case .adversaries(let adversaries) = model.content else {
            throw TrainingError(.model, "\(model.path): no generator; mltrain predict says what this model says")
        }
        latent = adversaries.latent
        shape = model.inputs[0]
        scaling = model.preprocessing.pixels
        let noise = try training(arrays: { () throws(TensorError) in try Shape([adversaries.latent]) })
        runner = try Predictor.runner(
            adversaries.generator, [[noise]], try SafetensorsFile(reading: model.path + "/" + Weights.fileName),
            prefix: "generator.", threads: threads)
        guard runner.model.output.shape.count == shape.count else {
            throw TrainingError(
                .model, "\(model.path): the generator makes \(runner.model.output.shape), the samples were \(shape)")
        }
    }

    /// The same samples for the same seed.
    package func make(_ count: Int, seed: UInt64) throws(TrainingError) -> FloatRows {
        let samples = try training(arrays: { () throws(TensorError) in
            let noise = try FloatBuffer(count: count * latent)
            var generator = SplitMix64(seed: seed, stream: 6)
            for index in 0..<noise.count { noise.base[index] = generator.normal() }
            return try Samples(
                count: count, inputs: runner.model.network.inputShapes, features: noise, targetShape: try Shape([]),
                targets: try FloatBuffer(count: count))
        })
        let outputs = try training(arrays: { () throws(TensorError) in try FloatBuffer(count: count * shape.count) })
        let indices = (0..<Int32(count)).map { $0 }
        try training { () throws(LearningError) in
            try indices.withUnsafeBufferPointer { indices throws(LearningError) in
                try runner.predict(samples, indices, into: outputs.base)
            }
        }
        return FloatRows(count: count, values: outputs.values)
    }

    /// The file for samples that are pictures: a grid of them where the name ends in `.png`, else IDX.
    ///
    /// - Throws: `model` if they are no pictures.
    package func file(_ rows: FloatRows, path: String) throws(TrainingError) -> [UInt8] {
        guard let scaling, shape.rank >= 2, shape.count == shape.dimensions[0] * shape.dimensions[1] else {
            throw TrainingError(
                .model, "what this generator makes is no picture; without --output the numbers are printed")
        }
        let pixels = rows.values.withUnsafeBufferPointer { scaling.bytes($0) }
        let (height, width) = (shape.dimensions[0], shape.dimensions[1])
        if path.hasSuffix(".png") {
            let columns = Int(Double(rows.count).squareRoot().rounded(.up))
            return PNG.grid(pixels, width: width, height: height, columns: max(columns, 1))
        }
        return IDXFile.encode(pixels, count: rows.count, height: height, width: width)
    }

    package func write(_ rows: FloatRows, to path: String) throws(TrainingError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let directory = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
        let bytes = try file(rows, path: path)
        try OutputDirectory(directory.isEmpty ? "/" : directory).write([OutputFile(String(parts.last ?? ""), bytes)])
    }
}
