/// Gated recurrent units: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
/// translation", 2014, with the reset gate after the product, as Keras (`reset_after`) and PyTorch have it.
///
/// `x [steps, f]`, `W [f, 3 units]` (kernel), `U [units, 3 units]` (recurrent-kernel), `b [2, 3 units]` (bias: the
/// input's, the state's), each in Keras's order of gates z, r, h. With `a = x_t W + b_0` and `s = h_{t-1} U + b_1`:
/// `z = sigmoid(a_z + s_z)`, `r = sigmoid(a_r + s_r)`, `n = tanh(a_h + r s_h)`, `h_t = z h_{t-1} + (1 - z) n`.
/// Gives `h [steps, units]`, or the last one, `[units]`; twice as wide when bidirectional.
package struct GRU: RecurrentLayer {
    package typealias Cell = GRUCell
    package static let kind = "gru"

    package var units: Int
    package var returnsSequences: Bool
    package var isBidirectional: Bool

    package init(units: Int, returnsSequences: Bool = false, isBidirectional: Bool = false) {
        self.units = units
        self.returnsSequences = returnsSequences
        self.isBidirectional = isBidirectional
    }
}
