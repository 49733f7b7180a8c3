package import Tensors

/// What is wrong with a model, or what went wrong while it learned.
package struct LearningError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The layers, the loss and the data do not fit together.
        case model
        /// The samples do not suit the model, such as a class number beyond its outputs.
        case data
        /// The loss or a weight is no longer a number.
        case diverged
        /// Someone asked for an end.
        case interrupted
        /// A kernel or the system failed.
        case system
    }

    package var code: Code
    package var message: String
    /// Which layer, counted from 0, when it is one layer's matter.
    package var layer: Int?

    package init(_ code: Code, _ message: String, layer: Int? = nil) {
        self.code = code
        self.message = message
        self.layer = layer
    }

    package init(_ error: TensorError) {
        let code: Code =
            switch error.code {
            case .shape: .model
            case .value: .data
            case .memory, .selfTest, .thread: .system
            }
        self.init(code, error.message)
    }

    package var description: String { message }
}

/// Runs `body`, giving errors of the arrays the form they have here.
func learning<T>(_ body: () throws(TensorError) -> T) throws(LearningError) -> T {
    do { return try body() } catch { throw LearningError(error) }
}
