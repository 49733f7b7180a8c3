import LinuxSystem
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Tells systemd that the daemon lives, as long as it does: a ping goes out only after everything that jobs and clients wait for has
/// answered. Where one of them hangs none does, and systemd ends the daemon and starts it anew; jobs go on meanwhile.
struct WatchdogLoop: Service {
    /// Answers when the daemon's own loops have turned.
    let everythingTurns: @Sendable () async -> Void
    /// How often systemd wants to hear of us; nil where it does not.
    let interval: Duration?
    let ping: @Sendable () -> Void

    init(
        interval: Duration?, everythingTurns: @escaping @Sendable () async -> Void,
        ping: @escaping @Sendable () -> Void = { ServiceManager.alive() }
    ) {
        self.interval = interval
        self.everythingTurns = everythingTurns
        self.ping = ping
    }

    init(jobs: JobController, meter: EnergyMeter) {
        self.init(
            interval: ServiceManager.watchdogInterval(),
            everythingTurns: {
                // Its actor, and the loop that starts jobs and sees them to their end.
                await jobs.turn()
                // Whoever reads the meters.
                _ = await meter.isTracking
                // What answers requests.
                for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
                    try? await loop.submit {}.get()
                }
            })
    }

    func run() async throws {
        guard let interval else {
            // Nobody listens; a service that returns would end the others.
            try? await gracefulShutdown()
            return
        }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await everythingTurns()
                ping()
                // Thrice in the time it has, so that one slow turn is no death.
                try? await Task.sleep(for: interval / 3)
            }
        }
    }
}
