import FoundationEssentials
import JobAPI
import Learning
import Tensors

/// Where an interrupted training job goes on: everything that the next step depends on, in one file that appears whole
/// or not at all.
struct Checkpoint {
    static let fileName = "checkpoint.safetensors"

    let position: TrainingPosition
    let parameters: FloatBuffer
    let moments: FloatBuffer
    let best: FloatBuffer

    /// - Parameter job: what must be equal for a later run to go on; see ``TrainingPlan/identity``.
    static func encode(_ runner: StepRunner, _ position: TrainingPosition, best: FloatBuffer, job: String) throws
        -> [UInt8]
    {
        func array(_ name: String, _ buffer: FloatBuffer) -> Safetensors.Array {
            Safetensors.Array(
                name: name, shape: [buffer.count], values: UnsafeBufferPointer(start: buffer.base, count: buffer.count))
        }
        return try Safetensors.encode(
            [array("parameters", runner.parameters), array("moments", runner.moments), array("best", best)],
            metadata: ["format": "mltrain-checkpoint", "job": job, "position": try JSON.text(position)])
    }

    /// - Throws: `weights` if the file is damaged, or is another job's.
    init(_ file: SafetensorsFile, job: String) throws(TrainingError) {
        func wrong(_ what: String) -> TrainingError {
            TrainingError(.weights, "\(file.path): \(what); remove it to start anew")
        }
        guard file.metadata["format"] == "mltrain-checkpoint", let text = file.metadata["position"] else {
            throw wrong("not a checkpoint")
        }
        guard file.metadata["job"] == job else {
            throw wrong("the checkpoint of another job, or of this one before it was changed")
        }
        do { position = try JSON.decode(TrainingPosition.self, from: Data(text.utf8)) } catch {
            throw wrong("it does not say where training stood")
        }
        guard position.epoch >= 1, position.batch >= 0, position.step >= 0, position.samples >= 0 else {
            throw wrong("it says that training stood at step \(position.step) of epoch \(position.epoch)")
        }
        func buffer(_ name: String) throws(TrainingError) -> FloatBuffer {
            guard let array = file.arrays[name], array.shape.count == 1 else { throw wrong("no \(name)") }
            do {
                let buffer = try FloatBuffer(count: array.shape[0])
                try file.copy(name, shape: array.shape, to: buffer.base)
                return buffer
            } catch let error as TrainingError { throw error } catch { throw wrong("\(error)") }
        }
        parameters = try buffer("parameters")
        moments = try buffer("moments")
        best = try buffer("best")
    }
}
