import Glibc
import JobAPI
import Learning
import Tensors

/// Writes checkpoints of a run into its output directory, and finds the one of an earlier run.
final class CheckpointKeeper {
    private let directory: OutputDirectory
    private let runner: StepRunner
    private let job: String
    private let events: EventWriter

    init(_ directory: OutputDirectory, _ runner: StepRunner, job: String, _ events: EventWriter) {
        self.directory = directory
        self.runner = runner
        self.job = job
        self.events = events
    }

    private var path: String { directory.path + "/" + Checkpoint.fileName }

    /// Puts the runner where an earlier run stopped, if there was one.
    ///
    /// - Throws: `weights` if there is a checkpoint that cannot be gone on from.
    func load() throws(TrainingError) -> Checkpoint? {
        guard access(path, F_OK) == 0 else { return nil }
        let checkpoint = try Checkpoint(try SafetensorsFile(reading: path), job: job)
        try training { () throws(LearningError) in
            try runner.restore(
                parameters: checkpoint.parameters, moments: checkpoint.moments, step: checkpoint.position.step)
        }
        events.say(
            "going on after step \(checkpoint.position.step), in epoch \(checkpoint.position.epoch), from \(path)")
        return checkpoint
    }

    func save(_ position: TrainingPosition, best: FloatBuffer) throws(TrainingError) {
        let bytes: [UInt8]
        do { bytes = try Checkpoint.encode(runner, position, best: best, job: job) } catch {
            throw TrainingError(.output, "cannot write the checkpoint: \(error)")
        }
        try directory.write([(Checkpoint.fileName, bytes)])
        events.write(.checkpoint(path: path, step: position.step))
    }

    /// The training is over: the model is there.
    func remove() { unlink(path) }
}
