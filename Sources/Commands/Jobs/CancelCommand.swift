import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct CancelCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs, queued or running.",
        discussion: """
            A running job is asked to stop, and stopped if it does not. Jobs that can be cancelled are, even if others \
            cannot; then the status is 1.

            EXAMPLE
              mlctl cancel 42 43
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs.") var ids: [JobID]

    func run(in context: Context) async throws -> Int32 {
        try await global.withClient(context) { client in
            var status: Int32 = 0
            for id in ids {
                do {
                    let job = try await client.cancel(id)
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
}
