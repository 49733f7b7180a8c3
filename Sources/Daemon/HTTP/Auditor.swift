import JobAPI
import Ledger
import Units

/// One audit at a time: each keeps a connection to the ledger busy for as long as it takes. Whoever asks meanwhile gets the result
/// of the one under way; when all who asked have gone, it ends.
actor Auditor {
    private struct Run {
        let task: Task<AuditReport, any Error>
        var waiting = 0
        var gone = 0
    }

    private let ledger: Ledger
    private var running: Run?

    init(_ ledger: Ledger) {
        self.ledger = ledger
    }

    func audit() async throws -> AuditReport {
        var run = running ?? Run(task: Task { [ledger] in try await ledger.audit(now: .now()) })
        run.waiting += 1
        running = run
        let task = run.task
        defer { if running?.task == task { running = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            Task { await self.leave(task) }
        }
    }

    private func leave(_ task: Task<AuditReport, any Error>) {
        guard running?.task == task else { return }
        running?.gone += 1
        if let running, running.gone == running.waiting { task.cancel() }
    }
}
