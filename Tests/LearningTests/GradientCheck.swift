import Tensors
import Testing

@testable import Learning

/// Holds what backward computes against central differences of the loss.
enum GradientCheck {
    /// `(f(x + h) - f(x - h)) / 2h` for every parameter and every input, with the model's own forward pass. The layers
    /// compute in single precision, so with `h = 1e-2` about three digits are to be had.
    static func run(_ model: CompiledModel, _ samples: Samples, seed: UInt64 = 11) throws {
        let runner = try StepRunner(model: model, optimizer: Still(), pool: WorkerPool(workers: 1), seed: seed)
        // Biases start at zero, where an error in their use would not be seen.
        var generator = SplitMix64(seed: seed)
        for i in 0..<runner.parameters.count { runner.parameters.base[i] += generator.uniform(-0.2, 0.2) }
        let indices = Fixture.indices(samples)
        func loss() throws -> Double {
            try indices.withUnsafeBufferPointer { try runner.evaluate(samples, $0).meanLoss }
        }
        func difference(_ pointer: FloatPointer, _ h: Float) throws -> Double {
            let kept = pointer.pointee
            pointer.pointee = kept + h
            let (above, high) = (try loss(), pointer.pointee)
            pointer.pointee = kept - h
            let (below, low) = (try loss(), pointer.pointee)
            pointer.pointee = kept
            return (above - below) / Double(high - low)
        }
        func compare(_ pointer: FloatPointer, _ gradient: Float, _ what: String) throws {
            let numeric = try difference(pointer, 1e-2)
            let error = abs(numeric - Double(gradient))
            if error < 1e-3 + 1e-2 * abs(numeric) { return }
            // A kink of a relu within the step shows as two differences that disagree; a wrong gradient does not.
            let closer = try difference(pointer, 2.5e-3)
            #expect(abs(closer - Double(gradient)) < 2e-3 + 1e-2 * abs(closer), "\(what): \(gradient), not \(closer)")
        }
        _ = try indices.withUnsafeBufferPointer { try runner.train(samples, $0) }
        let gradients = runner.gradients.values
        // A sample's row of gradients, its inputs one after the other, as in the samples.
        var inputGradient: [Float] = []
        for row in 0..<samples.count {
            for input in model.inputs {
                guard let slot = input.gradient else { continue }
                let from = runner.arenas.base + model.plan.offsets[slot.index] + row * input.shape.count
                inputGradient += Array(UnsafeBufferPointer(start: from, count: input.shape.count))
            }
        }
        #expect(gradients.contains { abs($0) > 1e-3 })
        for parameter in model.plan.parameters where parameter.isLearnt {
            for i in 0..<parameter.count {
                let offset = parameter.offset + i
                try compare(runner.parameters.base + offset, gradients[offset], "\(parameter.name)[\(i)]")
            }
        }
        for (i, gradient) in inputGradient.enumerated() {
            try compare(samples.features.base + i, gradient, "input[\(i)]")
        }
    }

    /// A chain of layers with its loss.
    static func run(
        _ layers: [any Layer], _ samples: Samples, loss: any Loss = SparseCategoricalCrossentropy(), inputs: Bool = true
    ) throws {
        let model = try CompiledModel(
            network: .sequential(inputShape: samples.shape, layers.map { (nil, $0) }), loss: loss,
            batchSize: samples.count, shards: 1, wantsInputGradient: inputs)
        try run(model, samples)
    }
}
