import JobAPI
import Reporting
import Synchronization
import Units

@testable import Commands

/// Stands in for the terminal and runs `mlctl` against a socket.
final class Terminal: Sendable {
    private struct State {
        var out: [UInt8] = []
        var err: [UInt8] = []
        var questions: [String] = []
    }

    private let state = Mutex(State())

    /// What a run left behind.
    struct Outcome: Sendable {
        var status: Int32
        var out: String
        var err: String
        var questions: [String]
    }

    private let isTerminal: Bool
    private let directory: String
    private let environment: [String: String]
    private let interrupts: [Context.Interrupt]
    private let answer: Bool
    private let outputIsClosed: Bool

    init(
        isTerminal: Bool = false, directory: String = "/home/ada/lab", environment: [String: String] = [:],
        interrupts: [Context.Interrupt] = [], answer: Bool = false, outputIsClosed: Bool = false
    ) {
        self.isTerminal = isTerminal
        self.directory = directory
        self.environment = environment.merging(["HOME": "/home/ada"]) { given, _ in given }
        self.interrupts = interrupts
        self.answer = answer
        self.outputIsClosed = outputIsClosed
    }

    /// One minute past the start of the sample jobs.
    static let now = Timestamp(microseconds: 1_795_507_320_000_000)

    func run(_ arguments: [String], socket: String? = nil) async -> Outcome {
        var environment = environment
        if let socket { environment["MLD_SOCKET"] = socket }
        let status = await Mlctl.run(arguments, in: context(environment))
        return state.withLock { state in
            Outcome(
                status: status, out: String(decoding: state.out, as: UTF8.self),
                err: String(decoding: state.err, as: UTF8.self), questions: state.questions)
        }
    }

    func context(_ environment: [String: String]) -> Context {
        Context(
            output: { bytes in
                if self.outputIsClosed { throw OutputClosed() }
                self.state.withLock { $0.out += bytes }
            },
            errors: { bytes in self.state.withLock { $0.err += bytes } },
            outputStyle: isTerminal ? Style(colour: true, width: 80) : .plain, outputIsTerminal: isTerminal,
            errorIsTerminal: isTerminal, inputIsTerminal: isTerminal, errorWidth: 80, environment: environment,
            directory: directory, uid: 1000, executable: nil, now: { Self.now },
            interrupts: {
                // Stays open after the last one, as signals do.
                let (stream, continuation) = AsyncStream.makeStream(of: Context.Interrupt.self)
                for interrupt in self.interrupts { continuation.yield(interrupt) }
                return stream
            },
            ask: { question in
                self.state.withLock { $0.questions.append(question) }
                return self.answer
            })
    }
}
