import Tensors

/// A recurrent layer with its place in memory: one pass over the sequence, or a second one from its end beside it, each
/// with parameters of its own. Their outputs stand side by side: Schuster and Paliwal, "Bidirectional recurrent neural
/// networks", 1997, merged as by Keras's `Bidirectional` wrapper.
struct RecurrentStep<Cell: RecurrentCell>: LayerStep {
    let first: RecurrentPass<Cell>
    let second: RecurrentPass<Cell>?

    func forward(_ frame: Frame) {
        first.forward(frame)
        second?.forward(frame)
    }

    func backward(_ frame: Frame) throws(TensorError) {
        try first.backward(frame)
        try second?.backward(frame)
    }
}
