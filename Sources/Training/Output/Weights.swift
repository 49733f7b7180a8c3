import Learning
import Tensors

/// A model's parameters in a file: each under its own name and with its own shape.
enum Weights {
    static let fileName = "weights.safetensors"

    static func encode(_ runner: StepRunner) throws -> [UInt8] {
        let arrays = runner.model.plan.parameters.map { parameter in
            Safetensors.Array(
                name: parameter.name, shape: parameter.shape.dimensions,
                values: UnsafeBufferPointer(start: runner.parameters.base + parameter.offset, count: parameter.count))
        }
        return try Safetensors.encode(arrays, metadata: ["format": "mltrain", "version": toolVersion])
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
