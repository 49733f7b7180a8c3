import Datasets
import Glibc
import JobAPI
import Tensors

/// Writes checkpoints of a run into its output directory, and finds the one of an earlier run.
struct CheckpointKeeper<Position: CheckpointPosition> {
    private let directory: OutputDirectory
    private let job: String
    private let events: EventWriter
    private let fileName = "checkpoint.safetensors"

    /// A checkpoint is of a job and of its samples: both must be the same for a later run to go on.
    init(_ directory: OutputDirectory, _ plan: TrainingPlan, _ dataset: Dataset, _ events: EventWriter) {
        self.directory = directory
        job = plan.identity + "-" + String(dataset.fingerprint, radix: 16)
        self.events = events
    }

    private var path: String { directory.path + "/" + fileName }

    /// Where an earlier run stopped, if there was one, and its state copied to where it belongs.
    ///
    /// - Throws: `weights` if there is a checkpoint that cannot be gone on from.
    func restore(to state: Checkpoint<Position>.State) throws(TrainingError) -> Position? {
        guard access(path, F_OK) == 0 else { return nil }
        let position = try Checkpoint<Position>.restore(path, to: state, job: job)
        events.say("going on after step \(position.step), in epoch \(position.epoch), from \(path)")
        return position
    }

    func save(_ position: Position, _ state: Checkpoint<Position>.State) throws(TrainingError) {
        let file: OutputFile
        do { file = try Checkpoint.file(fileName, state, position, job: job) } catch {
            throw TrainingError(.output, "cannot write the checkpoint: \(error)")
        }
        try directory.write([file])
        events.write(.checkpoint(path: path, step: position.step))
    }

    /// The training is over: the model is there.
    func remove() { directory.remove(fileName) }
}
