package import LinuxSystem

/// CPU time of the whole machine over one interval, in seconds summed over its CPUs.
package struct MachineLoad: Sendable, Hashable {
    package var busySeconds: Double
    package var idleSeconds: Double
    /// Taken by the host of a virtual machine; in neither of the other two.
    package var stealSeconds: Double
    package var cpus: Int

    package init(busySeconds: Double, idleSeconds: Double, stealSeconds: Double, cpus: Int) {
        self.busySeconds = busySeconds
        self.idleSeconds = idleSeconds
        self.stealSeconds = stealSeconds
        self.cpus = cpus
    }

    /// Busy share of the machine over `seconds`, from 0 to 1. Stolen time is not busy: that work was another machine's.
    package func utilisation(over seconds: Double) -> Double {
        let capacity = Double(cpus) * seconds
        guard capacity > 0, busySeconds.isFinite else { return 0 }
        return min(1, max(0, busySeconds / capacity))
    }
}

/// Turns the ever-growing times of `/proc/stat` into the load of each interval.
package struct LoadMeter: Sendable {
    private let roots: SystemRoots
    private var last: ProcStat?

    package init(roots: SystemRoots) {
        self.roots = roots
    }

    /// The load since the call before. Nil at the first call, after a failed one, and when the counts went back (a CPU was
    /// taken out or put in): then there is no telling what the interval held.
    package mutating func sample() throws(SystemFileError) -> MachineLoad? {
        let before = last
        last = nil
        let now = try ProcStat(roots: roots)
        last = now
        guard let before, before.cpus == now.cpus, now.busySeconds >= before.busySeconds else { return nil }
        return MachineLoad(
            busySeconds: now.busySeconds - before.busySeconds,
            // The kernel lets the time spent waiting for disks run backwards now and then.
            idleSeconds: max(0, now.idleSeconds - before.idleSeconds),
            stealSeconds: max(0, now.stealSeconds - before.stealSeconds), cpus: now.cpus)
    }
}
