import JobAPI
import Ledger
import Units

/// One audit at a time: each keeps a connection to the ledger busy for as long as it takes. Whoever asks meanwhile gets the result
/// of the one under way.
actor Auditor {
    private let ledger: Ledger
    private var running: Task<AuditReport, any Error>?

    init(_ ledger: Ledger) {
        self.ledger = ledger
    }

    func audit() async throws -> AuditReport {
        if let running { return try await running.value }
        let task = Task { [ledger] in try await ledger.audit(now: .now()) }
        running = task
        defer { running = nil }
        return try await task.value
    }
}
