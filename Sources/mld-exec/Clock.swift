import Glibc

enum Clock {
    /// µs since 1970.
    static func now() -> Int64 { microseconds(CLOCK_REALTIME) }

    /// Seconds since the machine started, for measuring spans.
    static func monotonic() -> Double { Double(microseconds(CLOCK_MONOTONIC)) / 1e6 }

    /// `60 s`, `1 h 30 min`.
    static func words(_ seconds: Double) -> String {
        if seconds < 120, seconds != seconds.rounded() { return "\((seconds * 100).rounded() / 100) s" }
        let whole = Int(seconds.rounded())
        if whole < 120 { return "\(whole) s" }
        let parts = [(whole / 3600, "h"), (whole % 3600 / 60, "min"), (whole % 60, "s")]
        return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

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
