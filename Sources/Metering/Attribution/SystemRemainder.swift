/// Finds the system's CPU time of each interval: what of the machine's busy time is nobody else's.
///
/// Over short intervals the difference between the fine clock of the jobs and the machine's coarse one (10 ms steps) is
/// noise that must not become the system's work: what the coarse clock is behind is carried on until it catches up.
package struct SystemRemainder: Sendable, Hashable {
    /// CPU seconds of known accounts that the machine's clock has not shown yet; at most zero.
    private var unseen = 0.0

    /// The most that is carried on for each CPU, in seconds: two steps of the machine's clock.
    private static let mostUnseen = 0.02

    package init() {}

    /// The usages of one interval with the system's added.
    /// - Parameter load: the machine's CPU time in the interval, nil when unknown.
    package mutating func complete(_ usages: [Usage], load: MachineLoad?, machine: MachineSize) -> [Usage] {
        let known = usages.reduce(0) { $0 + ($1.cpuSeconds.isFinite ? max(0, $1.cpuSeconds) : 0) }
        let busy = (load?.busySeconds ?? 0) + unseen
        unseen = min(max(busy - known, -Self.mostUnseen * machine.cpus), 0)
        return Usage.withSystem(usages, busySeconds: busy)
    }
}
