import LinuxSystem
import ServiceLifecycle
import Units

/// Reads the meters once a second while jobs run and every five seconds while none does, and tells followers what
/// their job draws.
struct MeterLoop: Service {
    let meter: EnergyMeter
    let jobs: JobController

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var wasBusy = false
            while !Task.isCancelled {
                let isBusy = await meter.isTracking
                // After the last job: an idle daemon is a small one.
                if wasBusy, !isBusy { OwnProcess.releaseMemory() }
                wasBusy = isBusy
                await meter.pause.sleep(for: isBusy ? .seconds(1) : .seconds(5))
                await meter.tick()
                await jobs.reportProgress()
            }
        }
        await meter.tick()
        await meter.flush()
        await meter.close()
        await meter.keepBaseline()
    }
}
