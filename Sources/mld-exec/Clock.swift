import Glibc

enum Clock {
    /// µs since 1970.
    static func now() -> Int64 { microseconds(CLOCK_REALTIME) }

    /// Seconds since the machine started, for measuring spans.
    static func monotonic() -> Double { Double(microseconds(CLOCK_MONOTONIC)) / 1e6 }

    private static func microseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

/// Measures a time limit that stands still while the job is frozen.
struct RunClock {
    private var spent = 0.0
    private var runningSince: Double? = Clock.monotonic()

    var seconds: Double { spent + (runningSince.map { Clock.monotonic() - $0 } ?? 0) }
    var isPaused: Bool { runningSince == nil }

    mutating func pause() {
        spent = seconds
        runningSince = nil
    }

    mutating func resume() {
        if runningSince == nil { runningSince = Clock.monotonic() }
    }
}
