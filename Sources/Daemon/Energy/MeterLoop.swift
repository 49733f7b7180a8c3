import LinuxSystem
import ServiceLifecycle
import Units

/// Reads the meters once a second while jobs run and every five seconds while none does. It waits for nothing else: neither
/// for the ledger nor for what jobs have to say.
struct MeterLoop: Service {
    let meter: EnergyMeter
    let jobs: JobController

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Its start is busy, too.
            var wasBusy = true
            while !Task.isCancelled {
                let isBusy = await meter.isTracking
                // After the last job: an idle daemon is a small one.
                if wasBusy, !isBusy {
                    OwnProcess.releaseMemory()
                    ProgramText.letGo()
                }
                wasBusy = isBusy
                await meter.pause.sleep(for: isBusy ? .seconds(1) : .seconds(5))
                if let drawn = await meter.tick() { jobs.lookAtCap(drawn) }
            }
        }
        await meter.finish()
    }
}
