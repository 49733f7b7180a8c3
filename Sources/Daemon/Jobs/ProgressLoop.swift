import ServiceLifecycle

/// Tells followers once a second what their job reports and draws, and sleeps longer while there is no job. Apart from the meter's
/// loop: this one waits for the ledger, and no reading may.
struct ProgressLoop: Service {
    let jobs: JobController

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await jobs.progressPause.sleep(for: await jobs.hasProcesses ? .seconds(1) : .seconds(5))
                await jobs.reportProgress()
            }
        }
    }
}
