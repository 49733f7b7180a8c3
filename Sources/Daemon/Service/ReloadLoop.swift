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
            } catch {
                logger.error("the policy in force stays: \(error)")
            }
        }
    }
}
