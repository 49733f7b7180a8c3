package import Reporting
package import Units

/// Everything a command touches besides the daemon and files, so that a test can stand in for the terminal.
package struct Context: Sendable {
    package enum Interrupt: Sendable {
        /// Ctrl-C.
        case interrupt
        /// SIGTERM: nobody is there to be asked.
        case terminate
    }

    /// Writes to standard output; throws ``OutputClosed`` when nobody reads it any more.
    package var output: @Sendable ([UInt8]) throws -> Void
    /// Writes to standard error; what cannot be written there cannot be reported anywhere.
    package var errors: @Sendable ([UInt8]) -> Void
    package var outputStyle: Style
    package var outputIsTerminal: Bool
    package var errorIsTerminal: Bool
    package var inputIsTerminal: Bool
    /// Columns of the terminal behind standard error.
    package var errorWidth: Int
    package var environment: [String: String]
    /// The working directory, absolute.
    package var directory: String
    package var uid: UInt32
    /// Where this program's file is, to find its sister programs beside it.
    package var executable: String?
    package var now: @Sendable () -> Timestamp
    /// Signals from when it is called to the end of the stream's use; meanwhile they do not end the program.
    package var interrupts: @Sendable () -> AsyncStream<Interrupt>
    /// Puts a yes-or-no question to the person at the terminal; false also when cancelled.
    package var ask: @Sendable (_ question: String) async -> Bool

    package init(
        output: @escaping @Sendable ([UInt8]) throws -> Void, errors: @escaping @Sendable ([UInt8]) -> Void,
        outputStyle: Style = .plain, outputIsTerminal: Bool = false, errorIsTerminal: Bool = false,
        inputIsTerminal: Bool = false, errorWidth: Int = 80, environment: [String: String], directory: String,
        uid: UInt32, executable: String?, now: @escaping @Sendable () -> Timestamp,
        interrupts: @escaping @Sendable () -> AsyncStream<Interrupt>,
        ask: @escaping @Sendable (_ question: String) async -> Bool
    ) {
        self.output = output
        self.errors = errors
        self.outputStyle = outputStyle
        self.outputIsTerminal = outputIsTerminal
        self.errorIsTerminal = errorIsTerminal
        self.inputIsTerminal = inputIsTerminal
        self.errorWidth = errorWidth
        self.environment = environment
        self.directory = directory
        self.uid = uid
        self.executable = executable
        self.now = now
        self.interrupts = interrupts
        self.ask = ask
    }

    /// Text as it stands, to standard output.
    func print(_ text: String) throws { try output(Array(text.utf8)) }

    /// A line to standard error.
    func note(_ line: String) { errors(Array((line + "\n").utf8)) }

    var home: String { environment["HOME"] ?? "/" }
}

/// Standard output was closed by its reader, as `head` does; not worth a message.
package struct OutputClosed: Error {
    package init() {}
}

/// A command that ends with a status other than 0, and what to say about it.
struct Failure: Error {
    var status: Int32
    /// Empty when everything has been said already.
    var message: String

    /// Status 1: the job or the request failed.
    static func failed(_ message: String = "") -> Failure { Failure(status: 1, message: message) }
    /// Status 2: the command line makes no sense.
    static func usage(_ message: String) -> Failure { Failure(status: 2, message: message) }
}
