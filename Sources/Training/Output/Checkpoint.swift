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
struct Checkpoint<Position: CheckpointPosition> {
    let position: Position
    /// In the order they were asked for.
    let state: [FloatBuffer]

    /// - Parameter job: what must be equal for a later run to go on; see ``TrainingPlan/identity``.
    static func encode(_ state: [(name: String, values: FloatBuffer)], _ position: Position, job: String) throws
        -> [UInt8]
    {
        let arrays = state.map { name, buffer in
            Safetensors.Array(
                name: name, shape: [buffer.count], values: UnsafeBufferPointer(start: buffer.base, count: buffer.count))
        }
        return try Safetensors.encode(
            arrays, metadata: ["format": "mltrain-checkpoint", "job": job, "position": try JSON.text(position)])
    }

    /// - Throws: `weights` if the file is damaged, or is another job's.
    init(_ file: SafetensorsFile, names: [String], job: String) throws(TrainingError) {
        func wrong(_ what: String) -> TrainingError {
            TrainingError(.weights, "\(file.path): \(what); remove it to start anew")
        }
        guard file.metadata["format"] == "mltrain-checkpoint", let text = file.metadata["position"] else {
            throw wrong("not a checkpoint")
        }
        guard file.metadata["job"] == job else {
            throw wrong("the checkpoint of another job, or of this one before it was changed")
        }
        do { position = try JSON.decode(Position.self, from: Data(text.utf8)) } catch {
            throw wrong("it does not say where training stood")
        }
        guard position.epoch >= 1, position.batch >= 0, position.step >= 0, position.samples >= 0 else {
            throw wrong("it says that training stood at step \(position.step) of epoch \(position.epoch)")
        }
        state = try names.map { name throws(TrainingError) in
            guard let array = file.arrays[name], array.shape.count == 1 else { throw wrong("no \(name)") }
            do {
                let buffer = try FloatBuffer(count: array.shape[0])
                try file.copy(name, shape: array.shape, to: buffer.base)
                return buffer
            } catch let error as TrainingError { throw error } catch { throw wrong("\(error)") }
        }
    }
}
