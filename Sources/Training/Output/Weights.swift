import Learning
import Tensors

/// A model's parameters in a file: each under its own name and with its own shape.
enum Weights {
    static let fileName = "weights.safetensors"

    static func file(_ runner: StepRunner) throws -> OutputFile {
        let arrays = runner.model.plan.parameters.map { parameter in
            Safetensors.Array(
                name: parameter.name, shape: parameter.shape.dimensions,
                values: UnsafeBufferPointer(start: runner.parameters.base + parameter.offset, count: parameter.count))
        }
        return try Safetensors.file(fileName, arrays, metadata: ["format": "mltrain", "version": toolVersion])
    }

    /// Compares the shapes alone, before anything is made in the size that the model claims to have.
    ///
    /// - Parameter prefix: as in ``load(_:into:prefix:)``.
    /// - Throws: `weights` if the file does not hold such parameters.
    static func check(_ file: SafetensorsFile, _ parameters: [Parameter], prefix: String = "") throws(TrainingError) {
        for parameter in parameters { try file.check(prefix + parameter.name, shape: parameter.shape.dimensions) }
    }

    /// - Parameter prefix: before the names in the file, which then may hold other arrays too.
    /// - Throws: `weights` if the file does not hold exactly this model's parameters.
    static func load(_ file: SafetensorsFile, into runner: StepRunner, prefix: String = "") throws(TrainingError) {
        let parameters = runner.model.plan.parameters
        for parameter in parameters {
            try file.copy(
                prefix + parameter.name, shape: parameter.shape.dimensions,
                to: runner.parameters.base + parameter.offset)
        }
        guard !prefix.isEmpty || file.arrays.count == parameters.count else {
            throw TrainingError(
                .weights, "\(file.path): \(file.arrays.count) arrays, but the model has \(parameters.count)")
        }
    }
}
