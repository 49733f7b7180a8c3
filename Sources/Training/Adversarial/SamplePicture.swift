import Datasets
import Learning
import Tensors

/// `samples.png`: what the generator makes, from the same noise each time, so that one can watch it learn.
struct SamplePicture {
    private static let side = 10

    let trainer: AdversarialTrainer
    let preprocessing: Preprocessing

    /// Nothing for samples that are no pictures.
    func write(to directory: OutputDirectory) throws(TrainingError) {
        guard let scaling = preprocessing.pixels, let shape = preprocessing.inputShapes.first, shape.count >= 2,
            shape.count == 2 || shape[2] == 1
        else { return }
        let count = Self.side * Self.side
        let size = shape.reduce(1, *)
        let made = try training(arrays: { () throws(TensorError) in try FloatBuffer(count: count * size) })
        try training { () throws(LearningError) in try trainer.make(count, seed: 0, into: made.base) }
        let pixels = scaling.bytes(UnsafeBufferPointer(start: made.base, count: made.count))
        try directory.write([
            OutputFile("samples.png", PNG.grid(pixels, width: shape[1], height: shape[0], columns: Self.side))
        ])
    }
}

extension PixelScaling {
    /// Back from a model's numbers to pixels: rounded, and cut off at 0 and 255.
    func bytes(_ values: UnsafeBufferPointer<Float>) -> [UInt8] {
        values.map { value in
            let pixel = (Double(value) * deviation + mean).rounded()
            return pixel.isNaN ? 0 : UInt8(min(max(pixel, 0), 255))
        }
    }
}
