import JobAPI
import JobClient
import Reporting

/// Does something to each job or array and prints how it stands then. One refusal does not stop the others.
/// - Returns: 1 when any was refused.
func act(
    _ action: JobAction, onEach jobs: [JobReference], _ global: GlobalOptions, _ context: Context
) async throws -> Int32 {
    try await global.withClient(context) { client in
        var status: Int32 = 0
        for job in jobs {
            do {
                try context.print(printable(try await act(action, on: job, client)) + "\n")
            } catch let error as ClientError {
                guard case .refused(let refusal) = error else { throw error }
                context.note("mlctl: job \(job): " + printable(refusal.description, keepingLines: true))
                status = 1
            }
        }
        return status
    }
}

/// - Returns: a line on what came of it.
private func act(_ action: JobAction, on job: JobReference, _ client: JobClient) async throws -> String {
    do {
        let record = try await client.act(action, on: job)
        // A job that had ended waits again under a number of its own.
        let isCopy = action == .requeue && record.reference != job && (job.index != nil || record.id != job.id)
        return "job \(record.reference) \(record.state.rawValue): \(record.reason)"
            + (isCopy ? " (a copy of job \(job), which had ended)" : "")
    } catch let error as ClientError {
        guard case .refused(let refusal) = error, refusal.code == .isArray else { throw error }
        let array = try await client.act(action, onArray: job.id)
        return "array \(array.id): \(action.rawValue) done to \(array.changed ?? 0); now \(words(array.states))"
    }
}
