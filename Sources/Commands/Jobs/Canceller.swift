import JobAPI
import JobClient
import Reporting

/// Turns Ctrl-C into the job's cancellation: the first one asks when there is somebody to ask, the second does not.
struct Canceller {
    var client: JobClient
    var id: JobID
    var context: Context

    /// Returns when cancelled itself, as when the job has ended.
    func watch(_ interrupts: AsyncStream<Context.Interrupt>) async {
        await withTaskGroup(of: Void.self) { group in
            let canAsk = context.inputIsTerminal && context.errorIsTerminal
            var asked = false
            for await interrupt in interrupts {
                if interrupt == .interrupt, canAsk, !asked {
                    asked = true
                    group.addTask {
                        let question = "\ncancel job \(id)? [y/N] (Ctrl-C again cancels at once) "
                        if await context.ask(question), !Task.isCancelled { await cancel() }
                    }
                } else {
                    // The question that may still stand is settled.
                    group.cancelAll()
                    await cancel()
                }
            }
            group.cancelAll()
        }
    }

    private func cancel() async {
        do {
            _ = try await client.cancel(id)
            context.note("mlctl: cancelling job \(id)")
        } catch {
            // The job goes on being followed; another Ctrl-C tries again.
            context.note("mlctl: job \(id) is not cancelled: " + printable("\(error)", keepingLines: true))
        }
    }
}
