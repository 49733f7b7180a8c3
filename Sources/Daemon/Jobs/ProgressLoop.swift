import ServiceLifecycle

/// Tells followers once a second what their job reports and draws. Apart from the meter's loop: this one waits for the ledger,
/// and no reading may.
struct ProgressLoop: Service {
    let jobs: JobController

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(1), tolerance: .milliseconds(100))) != nil {
                await jobs.reportProgress()
            }
        }
    }
}
