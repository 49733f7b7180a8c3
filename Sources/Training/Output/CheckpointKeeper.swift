import Glibc
import JobAPI
import Tensors

/// Writes checkpoints of a run into its output directory, and finds the one of an earlier run.
struct CheckpointKeeper<Position: CheckpointPosition> {
    private let directory: OutputDirectory
    private let job: String
    private let events: EventWriter
    private let fileName = "checkpoint.safetensors"

    init(_ directory: OutputDirectory, job: String, _ events: EventWriter) {
        self.directory = directory
        self.job = job
        self.events = events
    }

    private var path: String { directory.path + "/" + fileName }

    /// Where an earlier run stopped, if there was one.
    ///
    /// - Throws: `weights` if there is a checkpoint that cannot be gone on from.
    func load(_ names: [String]) throws(TrainingError) -> Checkpoint<Position>? {
        guard access(path, F_OK) == 0 else { return nil }
        let checkpoint = try Checkpoint<Position>(try SafetensorsFile(reading: path), names: names, job: job)
        events.say(
            "going on after step \(checkpoint.position.step), in epoch \(checkpoint.position.epoch), from \(path)")
        return checkpoint
    }

    func save(_ position: Position, _ state: [(name: String, values: FloatBuffer)]) throws(TrainingError) {
        let bytes: [UInt8]
        do { bytes = try Checkpoint.encode(state, position, job: job) } catch {
            throw TrainingError(.output, "cannot write the checkpoint: \(error)")
        }
        try directory.write([(fileName, bytes)])
        events.write(.checkpoint(path: path, step: position.step))
    }

    /// The training is over: the model is there.
    func remove() { unlink(path) }
}
