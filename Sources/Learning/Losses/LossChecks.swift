import Tensors

/// What several losses demand of their outputs, options and targets.
enum LossChecks {
    static func gradient(of output: Tensor, loss: String) throws(LearningError) -> Slot {
        guard let gradient = output.gradient else {
            throw LearningError(.model, "the loss \(loss) needs an output that is learnt")
        }
        return gradient
    }

    /// The shape without its axis of classes.
    static func withoutClasses(_ output: Shape, loss: String) throws(LearningError) -> Shape {
        guard output.rank >= 1 else { throw LearningError(.model, "the loss \(loss) needs an axis of classes") }
        return try learning { () throws(TensorError) in try Shape(Array(output.dimensions.dropLast())) }
    }

    /// The shape of targets of the same size as the outputs: without a last axis of one, so that a single number for a
    /// sample or a position stands alone.
    static func elements(_ output: Shape) throws(LearningError) -> Shape {
        guard output.rank >= 1, output.last == 1 else { return output }
        return try learning { () throws(TensorError) in try Shape(Array(output.dimensions.dropLast())) }
    }

    static func weights(_ weights: [Float]?, classes: Int, loss: String) throws(LearningError) {
        guard let weights else { return }
        guard weights.count == classes else {
            throw LearningError(
                .model, "the loss \(loss) has \(weights.count) class weights for \(classes) classes")
        }
        guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw LearningError(.model, "the class weights of the loss \(loss) must be finite and not negative")
        }
    }

    static func smoothing(_ smoothing: Float, loss: String) throws(LearningError) {
        guard smoothing >= 0, smoothing < 1 else {
            throw LearningError(
                .model, "the label smoothing of the loss \(loss) is \(smoothing); it must be from 0 to below 1")
        }
    }

    /// - Throws: `data` with the first target that is neither `ignored` nor in the range.
    static func targets(
        _ samples: Samples, in range: ClosedRange<Float>, ignored: Float?, named name: String
    ) throws(LearningError) {
        for i in 0..<samples.targets.count {
            let target = samples.targets.base[i]
            if let ignored, target == ignored { continue }
            if range.contains(target) { continue }
            let wanted =
                range.upperBound == .greatestFiniteMagnitude
                ? "a finite number" : "from \(range.lowerBound) to \(range.upperBound)"
            throw LearningError(
                .data, "\(name) sample \(i / samples.targetShape.count) has the target \(target); it must be \(wanted)")
        }
    }
}
