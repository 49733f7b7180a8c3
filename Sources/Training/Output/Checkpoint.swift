import FoundationEssentials
import JobAPI
import Learning
import Tensors

/// Where training stands, as a checkpoint holds it.
protocol CheckpointPosition: Codable {
    var epoch: Int { get }
    var batch: Int { get }
    var step: Int { get }
    var samples: Int { get }
}

extension TrainingPosition: CheckpointPosition {}
extension AdversarialPosition: CheckpointPosition {}

/// Where an interrupted training job goes on: everything that the next step depends on, in one file that appears whole
/// or not at all.
enum Checkpoint<Position: CheckpointPosition> {
    typealias State = [(name: String, values: FloatBuffer)]

    /// - Parameter job: what must be equal for a later run to go on; see ``TrainingPlan/identity``.
    static func file(_ name: String, _ state: State, _ position: Position, job: String) throws -> OutputFile {
        let arrays = state.map { name, buffer in
            Safetensors.Array(
                name: name, shape: [buffer.count], values: UnsafeBufferPointer(start: buffer.base, count: buffer.count))
        }
        return try Safetensors.file(
            name, arrays, metadata: ["format": "mltrain-checkpoint", "job": job, "position": try JSON.text(position)])
    }

    /// Copies the arrays of a checkpoint to where they belong.
    ///
    /// - Throws: `weights` if the file is damaged, or is another job's.
    static func restore(_ path: String, to state: State, job: String) throws(TrainingError) -> Position {
        do throws(TrainingError) {
            return try restore(try SafetensorsFile(reading: path), to: state, job: job)
        } catch {
            throw TrainingError(error.stage, "\(error.message); remove it to start anew")
        }
    }

    private static func restore(
        _ file: SafetensorsFile, to state: State, job: String
    ) throws(TrainingError) -> Position {
        func wrong(_ what: String) -> TrainingError { TrainingError(.weights, "\(file.path): \(what)") }
        guard file.metadata["format"] == "mltrain-checkpoint", let text = file.metadata["position"] else {
            throw wrong("not a checkpoint")
        }
        guard file.metadata["job"] == job else {
            throw wrong("the checkpoint of another job, or of this one before it or its data were changed")
        }
        let position: Position
        do { position = try JSON.decode(Position.self, from: Data(text.utf8)) } catch {
            throw wrong("it does not say where training stood")
        }
        // What no training reaches in a thousand years, so that no sum of these overflows.
        let most = 1 << 53
        guard (1...most).contains(position.epoch), (0...most).contains(position.batch),
            (0...most).contains(position.step), (0...most).contains(position.samples)
        else { throw wrong("it says that training stood at step \(position.step) of epoch \(position.epoch)") }
        for (name, values) in state { try file.copy(name, shape: [values.count], to: values.base) }
        return position
    }
}
