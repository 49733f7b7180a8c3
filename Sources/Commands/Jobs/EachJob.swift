import JobAPI
import JobClient
import Reporting

/// Calls `action` for each job and prints how it stands then. One refusal does not stop the others.
/// - Returns: 1 when any was refused.
func actOnEach(
    _ ids: [JobID], _ global: GlobalOptions, _ context: Context,
    _ action: (JobClient, JobID) async throws -> JobRecord
) async throws -> Int32 {
    try await global.withClient(context) { client in
        var status: Int32 = 0
        for id in ids {
            do {
                let job = try await action(client, id)
                try context.print(printable("job \(id) \(job.state.rawValue): \(job.reason)") + "\n")
            } catch let error as ClientError {
                guard case .refused(let refusal) = error else { throw error }
                context.note("mlctl: job \(id): " + printable(refusal.description, keepingLines: true))
                status = 1
            }
        }
        return status
    }
}
