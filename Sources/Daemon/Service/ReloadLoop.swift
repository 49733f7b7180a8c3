import JobAPI
import Logging
import ServiceLifecycle
import UnixSignals

/// Reloads the policy on SIGHUP, as `systemctl reload` asks for it.
struct ReloadLoop: Service {
    let jobs: JobController
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                let result = try await jobs.reload(from: nil)
                if !result.changed { logger.notice("the policy files are as they were") }
            } catch let error as APIError {
                // A line each: a log has no line breaks within one.
                for problem in error.details ?? [] { logger.error("policy: \(problem)") }
                logger.error("\(error.message); \(error.hint ?? "the policy in force stays")")
            } catch {
                logger.error("the policy in force stays: \(error)")
            }
        }
    }
}
