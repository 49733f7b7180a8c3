import JobAPI
import JobClient
import Reporting
import Synchronization

/// Turns Ctrl-C into the job's cancellation: the first one asks when there is somebody to ask, the second does not.
struct Canceller {
    var client: JobClient
    var job: AcceptedJob
    var context: Context

    /// Returns when cancelled itself, as when the job has ended.
    ///
    /// - Throws: where no answer to the submission comes, and where it was told to end and cannot reach the daemon to cancel the job:
    ///   who told it does not wait for that.
    func watch(_ interrupts: AsyncStream<Context.Interrupt>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let canAsk = context.inputIsTerminal && context.errorIsTerminal
            var asked = false
            for await interrupt in interrupts {
                guard let id = try await job.id(within: .seconds(3)) else {
                    throw Failure.failed(
                        "no answer came yet; the job may have been accepted all the same: see mlctl list")
                }
                if interrupt == .interrupt, canAsk, !asked {
                    asked = true
                    group.addTask {
                        let question = "\ncancel job \(id)? [y/N] (Ctrl-C again cancels at once) "
                        if await context.ask(question), !Task.isCancelled { await cancel(id) }
                    }
                } else {
                    // The question that may still stand is settled.
                    group.cancelAll()
                    let isCancelled = await cancel(id, within: interrupt == .terminate ? .seconds(5) : nil)
                    if interrupt == .terminate, !isCancelled { throw Failure.failed("job \(id) goes on") }
                }
            }
            group.cancelAll()
        }
    }

    @discardableResult
    private func cancel(_ id: JobID, within limit: Duration? = nil) async -> Bool {
        do {
            _ = try await client.act(.cancel, on: id, within: limit)
            context.note("mlctl: cancelling job \(id)")
            return true
        } catch {
            // The job goes on being followed; another Ctrl-C tries again.
            context.note("mlctl: job \(id) is not cancelled: " + printable("\(error)", keepingLines: true))
            return false
        }
    }
}

/// The job, once it is accepted.
final class AcceptedJob: Sendable {
    private let accepted = Mutex<JobID?>(nil)

    func set(_ id: JobID) { accepted.withLock { $0 = id } }

    /// Nil where it is not accepted by then.
    func id(within patience: Duration) async throws -> JobID? {
        let end = ContinuousClock.now + patience
        while true {
            if let id = accepted.withLock({ $0 }) { return id }
            guard ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
