import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct WaitCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until jobs have ended; exit with the worst of their statuses.",
        discussion: """
            EXAMPLE
              mlctl wait 42 43 && mlctl report --by job
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await global.withClient(context) { client in
            // All ids first: a mistyped one should not come to light after hours.
            var ids: [JobID] = []
            for job in jobs { ids += try await numbers(of: job, client) }
            var worst: Int32 = 0
            for id in ids {
                let job = try await Follower(
                    client: client, id: id, logs: false, isKnown: true, note: { context.note($0) }
                ).run { _ in }
                try context.print(summary(job, now: context.now()) + "\n")
                worst = max(worst, exitStatus(of: job))
            }
            return worst
        }
    }

    /// The job itself, or every job of an array.
    private func numbers(of job: JobReference, _ client: JobClient) async throws -> [JobID] {
        do {
            return [try await client.job(job).job.id]
        } catch let error as ClientError {
            guard case .refused(let refusal) = error, refusal.code == .isArray else { throw error }
            return try await client.array(job.id, limit: 10_000).jobs.map(\.id)
        }
    }
}
