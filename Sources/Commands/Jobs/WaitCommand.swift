import ArgumentParser
import JobAPI
import JobClient
import Reporting

struct WaitCommand: ContextCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until jobs have ended; exit with the worst of their statuses.",
        discussion: """
            For an array the status is 0 if all its jobs succeeded, else 1.

            EXAMPLE
              mlctl wait 42 43 && mlctl report --by job
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The jobs and arrays.") var jobs: [JobReference]

    func run(in context: Context) async throws -> Int32 {
        try await global.withClient(context) { client in
            try await client.reach()
            // All ids first: a mistyped one should not come to light after hours.
            var awaited: [Awaited] = []
            for job in jobs { awaited.append(try await find(job, client)) }
            var worst: Int32 = 0
            for one in awaited { worst = max(worst, try await wait(for: one, client, context)) }
            return worst
        }
    }

    private enum Awaited {
        case job(JobID)
        case array(JobID)
    }

    private func find(_ job: JobReference, _ client: JobClient) async throws -> Awaited {
        do {
            return .job(try await client.job(job).job.id)
        } catch let error as ClientError {
            guard case .refused(let refusal) = error, refusal.code == .isArray else { throw error }
            return .array(job.id)
        }
    }

    private func wait(for one: Awaited, _ client: JobClient, _ context: Context) async throws -> Int32 {
        switch one {
        case .job(let id):
            let job = try await Follower(
                client: client, id: id, logs: false, isKnown: true, note: { context.note($0) }
            ).run { _ in }
            try context.print(summary(job, now: context.now()) + "\n")
            return exitStatus(of: job)
        case .array(let id):
            let array = try await ArrayFollower(client: client, id: id, note: { context.note($0) }).run()
            try context.print("array \(id) ended: \(words(array.states))\n")
            return array.hasSucceeded ? 0 : 1
        }
    }
}
