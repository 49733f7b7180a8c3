import Tensors

/// The gradient of a layer that hands it on as it is, such as a change of shape: input and output share one place in
/// memory, unless several layers read the input, when its gradient needs a sum.
struct PassedGradient: LayerStep {
    /// The output's gradient.
    let slot: Slot?
    /// Where it must be summed.
    private let sum: Slot?
    private let count: Int
    private let accumulates: Bool

    init(_ input: LayerInput, _ plan: inout MemoryPlan.Builder) {
        count = input.tensor.shape.count
        accumulates = input.accumulates
        if input.isShared, let gradient = input.tensor.gradient {
            sum = gradient
            slot = plan.scratch(perSample: count, .backward)
        } else {
            sum = nil
            slot = input.tensor.gradient
        }
    }

    func forward(_ frame: Frame) {}

    func backward(_ frame: Frame) {
        guard let slot, let sum else { return }
        copy(frame.rows * count, frame[slot], into: frame[sum], accumulate: accumulates)
    }
}
