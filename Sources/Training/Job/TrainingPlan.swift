package import ConfigFile
package import Datasets
package import Learning
package import Units

/// The sections of a training job as checked values.
package struct TrainingPlan: Sendable {
    package enum Task: String, CaseIterable, Sendable {
        case classification
    }

    package enum MetricName: String, CaseIterable, Sendable {
        case accuracy
    }

    /// One `[[model.layer]]`.
    package struct LayerEntry: Sendable {
        package var name: String?
        package var layer: any Layer
        /// As written, for the model's own file.
        package var table: ConfigTable
    }

    /// How the job file is called in messages.
    package var file: String
    package var name: String?
    package var task: Task = .classification
    package var epochs = 1
    package var batchSize = 32
    package var optimizer: any Optimizer = Adam()
    package var loss: any Loss = SparseCategoricalCrossentropy()
    package var metrics: [MetricName] = [.accuracy]
    package var earlyStopping: EarlyStopping?
    package var seed: UInt64 = 0
    package var threads: Int?
    package var shards = TrainingPlan.defaultShards
    /// `[data]`
    package var data: any DataSource = IDXSource()
    package var layers: [LayerEntry] = []
    /// The job's `[resources]`.
    package var cpus = 1
    package var memory: ByteSize?
    /// Lines of sections and keys, for problems found later than the parsing.
    var lines = Lines()

    struct Lines: Sendable {
        var train = 0
        var path = 0
        var split = 0
        var layers: [Int] = []
    }

    /// Batch shards unless the job says otherwise: as many threads as can share a step. More would cost smaller
    /// products and more gradients to sum, on every machine.
    package static let defaultShards = 4

    /// The file a problem points into, with the line.
    func problem(_ line: Int, _ message: String, hint: String? = nil) -> ConfigProblem {
        ConfigProblem(file: file, line: line, message: message, hint: hint)
    }
}
