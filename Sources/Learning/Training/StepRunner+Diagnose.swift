import Tensors

// When it goes wrong.
extension StepRunner {
    /// Runs the batch again, layer by layer, to say where the numbers stopped being numbers.
    func diagnose() -> LearningError {
        let what = "the loss is \(summedTotals.loss) at step \(step)"
        let advice = "; a lower learning rate may help"
        for parameter in model.plan.parameters where !isFinite(parameters.base + parameter.offset, parameter.count) {
            return LearningError(
                .diverged, "\(what): the weights \(parameter.name) are not finite\(advice)", layer: parameter.node)
        }
        for shard in 0..<shards {
            guard !totals[shard].loss.isFinite, let frame = gather(shard) else { continue }
            let model = currentModel
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
                        + "finite\(advice)", layer: index)
            }
        }
        return LearningError(.diverged, "\(what): the loss itself overflows\(advice)")
    }

    private func isFinite(_ values: FloatPointer, _ count: Int) -> Bool {
        for i in 0..<count where !values[i].isFinite { return false }
        return true
    }
}
