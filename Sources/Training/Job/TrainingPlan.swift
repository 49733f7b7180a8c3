import ConfigFile
package import Datasets
package import Learning
package import Units

/// The sections of a training job as checked values.
package struct TrainingPlan: Sendable {
    package enum Task: String, CaseIterable, Sendable {
        case classification
        case regression
        case translation
        case generation
        case languageModelling = "language-modelling"
    }

    /// How the job file is called in messages.
    package var file: String
    package var name: String?
    /// Which job this is, for checkpoints.
    package var identity = ""
    package var task: Task = .classification
    package var epochs = 1
    package var batchSize = 32
    package var optimizer: any Optimizer = Adam()
    package var schedule: any Schedule = ConstantSchedule()
    package var clipping = Clipping.none
    package var loss: any Loss = SparseCategoricalCrossentropy()
    /// The loss is to be given ``ClassWeights/balanced(_:)`` of the training samples.
    package var balancesClasses = false
    package var metrics: [MetricName] = [.accuracy]
    package var earlyStopping: EarlyStopping?
    /// Steps from one checkpoint to the next; nil for none but when a stop is asked for.
    package var checkpointEvery: Int?
    package var seed: UInt64 = 0
    package var threads: Int?
    package var shards = TrainingPlan.defaultShards
    /// `[data]`
    package var data: any DataSource = IDXSource()
    package var form = Form.network
    /// `model.tree.criterion`, where the file has it.
    var namedCriterion: DecisionTree.Criterion?
    /// Of the model, where it is one network.
    package var layers = LayerList()
    /// The job's `[resources]`.
    package var cpus = 1
    package var memory: ByteSize?
    /// Lines of sections and keys, for problems found later than the parsing.
    var lines = Lines()

    struct Lines: Sendable {
        var train = 0
        var path = 0
        var split = 0
    }

    /// Regression has no accuracy, whatever the job asks for.
    package var reportsAccuracy: Bool { metrics.contains(.accuracy) && loss.countsHits }

    /// Batch shards unless the job says otherwise: as many threads as can share a step. More would cost smaller
    /// products and more gradients to sum, on every machine.
    package static let defaultShards = 4

    /// The file a problem points into, with the line.
    func problem(_ line: Int, _ message: String, hint: String? = nil) -> ConfigProblem {
        ConfigProblem(file: file, line: line, message: message, hint: hint)
    }
}
