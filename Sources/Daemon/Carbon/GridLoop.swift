import ServiceLifecycle
import Units

/// Reads the sources of intensity and price when they are due, and carries each change to meter, ledger and scheduler at its time.
/// Without a source it waits for a change of policy and never wakes.
struct GridLoop: Service {
    let grid: GridSignals
    let jobs: JobController

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                // Two: a service that is slow to answer must not hold up a change that was told long ago.
                group.addTask {
                    while !Task.isCancelled {
                        let next = await grid.lookAround(now: .now())
                        await grid.lookAlarm.wait(until: next)
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        let next = await jobs.followGrid()
                        await grid.newsAlarm.wait(until: next)
                    }
                }
            }
        }
    }
}
