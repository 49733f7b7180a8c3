import ConfigFile
package import Datasets
package import Learning
package import Tensors

/// Why a training job ended without a model.
package struct TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which part of the way failed.
    package enum Stage: String, Sendable {
        case start
        case job
        case data
        case model
        case training
        case output
        /// A file of weights.
        case weights
        /// Someone asked for an end.
        case interrupted
    }

    package var stage: Stage
    package var message: String

    package init(_ stage: Stage, _ message: String) {
        self.stage = stage
        self.message = message
    }

    package init(_ error: LearningError) {
        let stage: Stage =
            switch error.code {
            case .model: .model
            case .data: .data
            case .diverged, .system: .training
            case .interrupted: .interrupted
            }
        self.init(stage, error.message)
    }

    package init(_ error: DatasetError) { self.init(.data, error.description) }
    package init(_ error: TensorError) { self.init(.training, error.message) }

    package var description: String { message }
}

/// Runs `body`, giving its error the form it has here.
func training<T>(_ body: () throws(LearningError) -> T) throws(TrainingError) -> T {
    do { return try body() } catch { throw TrainingError(error) }
}
func training<T>(data body: () throws(DatasetError) -> T) throws(TrainingError) -> T {
    do { return try body() } catch { throw TrainingError(error) }
}
func training<T>(arrays body: () throws(TensorError) -> T) throws(TrainingError) -> T {
    do { return try body() } catch { throw TrainingError(error) }
}

/// An error as its reader should see it: problems of a file begin with its name, all else with ours.
package func describe(_ error: any Error) -> String {
    if let problems = error as? ConfigProblems { return problems.description }
    return "mltrain: \(error)"
}
