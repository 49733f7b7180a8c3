/// What went wrong in the array layer: a caller's mistake, or a library that computes wrongly.
package struct TensorError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Shapes or strides that do not fit together.
        case shape
        /// More memory than can be addressed or had.
        case memory
        /// OpenBLAS gave a wrong result.
        case selfTest = "self-test"
        /// A number that cannot be what it stands for, such as a word that is not in the vocabulary.
        case value
        /// A thread could not be started.
        case thread
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
