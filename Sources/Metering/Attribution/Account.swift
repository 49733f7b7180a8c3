package import Units

/// Who energy is booked on. Together the accounts hold everything that was metered.
package enum Account: Hashable, Sendable {
    case job(Int64)
    /// The kernel and every process that is neither a job nor the daemon.
    case system
    /// mld itself.
    case daemon
    /// Drawn by hardware that nobody had reserved.
    case idle
    /// Metered, but with nobody to give it to.
    case gap

    var isJob: Bool { if case .job = self { true } else { false } }
}

/// What one account used and held in an interval.
package struct Usage: Sendable, Hashable {
    package var account: Account
    package var cpuSeconds: Double
    package var reservedCPUs: Double
    /// For a job its reservation; for the system and the daemon the memory they occupy, if known.
    package var reservedMemoryBytes: Int64
    /// By the domain of the card.
    package var gpus: [String: GPUUse]

    package init(
        account: Account, cpuSeconds: Double, reservedCPUs: Double = 0, reservedMemoryBytes: Int64 = 0,
        gpus: [String: GPUUse] = [:]
    ) {
        self.account = account
        self.cpuSeconds = cpuSeconds
        self.reservedCPUs = reservedCPUs
        self.reservedMemoryBytes = reservedMemoryBytes
        self.gpus = gpus
    }

    /// The usages with the system's added: the machine's busy time that is nobody else's, never below zero.
    ///
    /// Jobs' times are exact and the machine's come in steps of 10 ms, so a small remainder may be rounding.
    package static func withSystem(
        _ usages: [Usage], busySeconds: Double, systemMemoryBytes: Int64 = 0
    ) -> [Usage] {
        let known = usages.reduce(0) { $0 + ($1.cpuSeconds.isFinite ? max(0, $1.cpuSeconds) : 0) }
        let rest = busySeconds.isFinite ? max(0, busySeconds - known) : 0
        return usages + [Usage(account: .system, cpuSeconds: rest, reservedMemoryBytes: systemMemoryBytes)]
    }
}

/// What the machine has to give.
package struct MachineSize: Sendable, Hashable {
    package var cpus: Double
    package var memoryBytes: Int64

    package init(cpus: Double, memoryBytes: Int64) {
        self.cpus = cpus
        self.memoryBytes = memoryBytes
    }
}

/// One account's part of one sample. `active + reservedIdle` over all shares is the sample's energy, to the microjoule.
package struct Share: Sendable, Hashable {
    package var account: Account
    /// Drawn because the account computed.
    package var active: Energy
    /// Drawn because the account held hardware that idles; for `idle`, because nobody held it.
    package var reservedIdle: Energy
    /// The range in which the account's true energy is held to lie, around `active + reservedIdle`.
    package var low: Energy
    package var high: Energy
    /// Seconds of the sample for which there is no figure.
    package var gapSeconds: Double

    package init(
        account: Account, active: Energy = .zero, reservedIdle: Energy = .zero, low: Energy = .zero,
        high: Energy = .zero, gapSeconds: Double = 0
    ) {
        self.account = account
        self.active = active
        self.reservedIdle = reservedIdle
        self.low = low
        self.high = high
        self.gapSeconds = gapSeconds
    }

    package var energy: Energy { active + reservedIdle }
}
