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
    @Argument(help: "The jobs.") var ids: [JobID]

    func run(in context: Context) async throws -> Int32 {
        try await global.withClient(context) { client in
            // All ids first: a mistyped one should not come to light after hours.
            for id in ids { _ = try await client.job(id) }
            var worst: Int32 = 0
            for id in ids {
                let job = try await Follower(client: client, id: id, logs: false, isKnown: true).run { _ in }
                try context.print(summary(job, now: context.now()) + "\n")
                worst = max(worst, exitStatus(of: job))
            }
            return worst
        }
    }
}
