package import Tensors

/// One layer as the job describes it: its options, before it is given a place in memory.
///
/// A layer is one file: this description, its ``LayerStep`` with forward and backward side by side, and a plain
/// reference of both for the tests.
package protocol Layer: Sendable {
    /// The name in job files, which is Keras's in kebab-case: `dense`.
    static var kind: String { get }

    /// The shape of one output sample for input samples of these shapes.
    func outputShape(_ inputs: [Shape]) throws(LearningError) -> Shape

    /// Takes parameters, output and scratch space from the plan.
    func bind(_ inputs: [LayerInput], _ plan: inout MemoryPlan.Builder) throws(LearningError) -> BoundLayer

    /// The layer without its last activation, if that is one a loss computes together with itself.
    var splitOutputActivation: (layer: any Layer, activation: Activation)? { get }
}

extension Layer {
    package var kind: String { Self.kind }
    package var splitOutputActivation: (layer: any Layer, activation: Activation)? { nil }
}

/// Which positions of a sequence are real: those whose token is not 0, in the `[rows][steps]` tokens that the model
/// was given. Padding is token 0.
package struct Mask: Hashable, Sendable {
    package let tokens: Slot
    /// Positions in a sample.
    package let steps: Int

    package init(tokens: Slot, steps: Int) {
        self.tokens = tokens
        self.steps = steps
    }
}

/// A batch of samples in the arena of a shard, `[rows][shape]`, with the gradient of the loss with respect to it.
package struct Tensor: Sendable {
    package let shape: Shape
    package let value: Slot
    /// Nil where nobody learns from it, as for the data.
    package let gradient: Slot?
    /// Set by an embedding that masks padding, and handed on by layers that keep the positions apart (the first axis
    /// of ``shape``). Nil: all positions are real.
    package let mask: Mask?

    package init(shape: Shape, value: Slot, gradient: Slot?, mask: Mask? = nil) {
        self.shape = shape
        self.value = value
        self.gradient = gradient
        self.mask = mask
    }

    package func masked(_ mask: Mask?) -> Tensor {
        Tensor(shape: shape, value: value, gradient: gradient, mask: mask)
    }
}

/// A tensor as one of its consumers sees it.
package struct LayerInput: Sendable {
    package let tensor: Tensor
    /// Another reading has written the gradient before this one's backward comes to it: add to it, do not overwrite.
    package let accumulates: Bool

    /// More than one layer reads the tensor, so its gradient is a sum.
    package let isShared: Bool

    /// The `beta` of a product that writes the gradient.
    package var beta: Float { accumulates ? 1 : 0 }
}

package struct BoundLayer: Sendable {
    package let output: Tensor
    package let step: any LayerStep

    package init(output: Tensor, step: any LayerStep) {
        self.output = output
        self.step = step
    }
}

/// A layer with its place in memory. It runs on each shard at once and keeps nothing of its own between calls: what
/// backward needs from forward lies in the arena. Neither call allocates.
package protocol LayerStep: Sendable {
    /// Writes the output of `frame.rows` samples.
    func forward(_ frame: Frame) throws(TensorError)

    /// From the gradient of the output (which it may overwrite), writes the gradients of the shard's parameters, and
    /// those of the inputs that have one, overwriting or adding as ``LayerInput/accumulates`` says, in the order of the inputs.
    func backward(_ frame: Frame) throws(TensorError)
}

/// What a layer sees of one step of one shard.
package struct Frame {
    /// Samples in this shard now; at most what the plan was made for.
    package let rows: Int
    package let isTraining: Bool
    /// Another number for each shard of each training step: the seed of what a layer draws, with the layer's own
    /// ``MemoryPlan/Builder/salt`` as stream.
    package let randomKey: UInt64
    /// This shard's part of the batch, from 0 to 1.
    package let share: Float
    let arena: FloatPointer
    let offsets: UnsafePointer<Int>
    let parameterOffsets: UnsafePointer<Int>
    let parameters: FloatPointer
    let parameterGradients: FloatPointer

    package subscript(slot: Slot) -> FloatPointer { arena + offsets[slot.index] }

    package func weights(_ slot: ParameterSlot) -> FloatPointer { parameters + parameterOffsets[slot.index] }

    /// This shard's gradient of a parameter. For a parameter that is state (``MemoryPlan/Builder/state(_:_:_:momentum:)``),
    /// where the layer puts ``share`` times its new observation when training.
    package func gradient(_ slot: ParameterSlot) -> FloatPointer { parameterGradients + parameterOffsets[slot.index] }
}
