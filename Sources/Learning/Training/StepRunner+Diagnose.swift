import Tensors

// When it goes wrong.
extension StepRunner {
    private static let advice = "; a lower learning rate may help"

    /// Says where the numbers of a batch whose loss is none stopped being numbers.
    func diagnose() -> LearningError {
        let what = summedTotals.loss.isNaN ? "not a number" : "infinite"
        return whereItBroke("the loss is \(what) at step \(step)")
            ?? LearningError(
                .diverged, "the loss is \(what) at step \(step): the loss itself overflows\(Self.advice)")
    }

    /// Runs the last batch again, layer by layer, to say where the numbers stopped being numbers.
    ///
    /// - Parameter what: what is known, to begin the message with.
    /// - Returns: nil if all weights and all layers' outputs are finite.
    func whereItBroke(_ what: String) -> LearningError? {
        for parameter in model.plan.parameters where !isFinite(parameters.base + parameter.offset, parameter.count) {
            return LearningError(
                .diverged, "\(what): the weights \(parameter.name) are not finite\(Self.advice)", layer: parameter.node)
        }
        let model = currentModel
        for shard in 0..<shards {
            guard let frame = gather(shard) else { continue }
            for input in model.inputs where !isFinite(frame[input.value], frame.rows * input.shape.count) {
                return LearningError(.diverged, "\(what): a sample holds a value that is not finite")
            }
            for (index, step) in model.steps.enumerated() {
                do { try step.forward(frame) } catch { return LearningError(error) }
                let output = model.outputs[index]
                if isFinite(frame[output.value], frame.rows * output.shape.count) { continue }
                return LearningError(
                    .diverged,
                    "\(what): the output of layer \(index + 1), \"\(model.network.nodes[index].name)\", is not "
                        + "finite\(Self.advice)", layer: index)
            }
        }
        return nil
    }

    private func isFinite(_ values: FloatPointer, _ count: Int) -> Bool {
        for i in 0..<count where !values[i].isFinite { return false }
        return true
    }
}
