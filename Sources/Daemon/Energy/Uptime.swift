import LinuxSystem

/// A moment by the clock that runs from the boot of the machine, also while it sleeps. Nobody sets it, so it tells how long ago
/// something was when the wall clock does not.
struct Uptime: Sendable, Hashable {
    var nanoseconds: Int64

    var seconds: Double { Double(nanoseconds) / 1e9 }

    static func now() -> Uptime { Uptime(nanoseconds: SystemClock.bootNanoseconds()) }

    /// Of one boot, or of numbers that a file claims: saturating.
    func since(_ earlier: Uptime) -> Duration {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return .nanoseconds(overflow ? (nanoseconds < 0 ? .min : .max) : difference)
    }
}
