import JobAPI
import Reporting
import Synchronization

/// Shows a job's progress on standard error: one line rewritten in place on a terminal, a line per epoch elsewhere.
final class LiveDisplay: Sendable {
    private struct State {
        var status = LiveStatus()
        var lastLine = ""
        var lastState: JobState?
    }

    private let id: JobID
    private let context: Context
    private let state = Mutex(State())

    init(_ id: JobID, _ context: Context) {
        self.id = id
        self.context = context
    }

    func take(_ event: JobEvent) {
        state.withLock { state in
            let epoch = state.status.take(event)
            if context.errorIsTerminal {
                let line = state.status.line(id, width: max(1, context.errorWidth - 1))
                if line != state.lastLine { context.errors(Array("\r\u{1b}[2K\(line)".utf8)) }
                state.lastLine = line
                return
            }
            if let epoch { context.note(epoch) }
            // The summary tells of the end.
            if event.type == .state, let now = event.state, now != state.lastState, !now.isFinal {
                let reason = event.reason.map { $0.isEmpty ? "" : ": \($0)" } ?? ""
                context.note(printable("job \(id) \(now.rawValue)\(reason)"))
                state.lastState = now
            }
        }
    }

    /// Leaves the terminal's line clean for what follows.
    func finish() {
        if context.errorIsTerminal { context.errors(Array("\r\u{1b}[2K".utf8)) }
    }
}
