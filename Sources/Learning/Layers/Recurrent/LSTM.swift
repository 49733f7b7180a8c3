/// Long short-term memory: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of Gers,
/// Schmidhuber and Cummins, "Learning to forget", 2000.
///
/// `x [steps, f]`, `W [f, 4 units]` (kernel), `U [units, 4 units]` (recurrent-kernel), `b [4 units]` (bias), each in
/// Keras's order of gates i, f, g, o. With `a = x_t W + h_{t-1} U + b`:
/// `c_t = sigmoid(a_f) c_{t-1} + sigmoid(a_i) tanh(a_g)`, `h_t = sigmoid(a_o) tanh(c_t)`.
/// Gives `h [steps, units]`, or the last one, `[units]`; twice as wide when bidirectional.
package struct LSTM: RecurrentLayer {
    package typealias Cell = LSTMCell
    package static let kind = "lstm"

    package var units: Int
    package var returnsSequences: Bool
    package var isBidirectional: Bool

    package init(units: Int, returnsSequences: Bool = false, isBidirectional: Bool = false) {
        self.units = units
        self.returnsSequences = returnsSequences
        self.isBidirectional = isBidirectional
    }
}
