package import Units

/// What a job is expected to draw at most, and what the machine does without it.
package struct PowerExpectation: Hashable, Sendable {
    package var idle: Power
    /// Beyond that.
    package var job: Power
    /// By its likes, not by its request.
    package var isLearned: Bool
    /// As many CPUs the cap would leave room for; nil where it does not go by CPUs.
    package var mostCPUs: Int?

    package init(idle: Power, job: Power, isLearned: Bool, mostCPUs: Int? = nil) {
        self.idle = idle
        self.job = job
        self.isLearned = isLearned
        self.mostCPUs = mostCPUs
    }
}

extension PolicySet {
    /// A job that would draw more than the cap even if it ran alone could never start.
    func beyondCap(_ expected: PowerExpectation) -> Refusal? {
        guard let cap = machine.powerCap.value, expected.idle.watts + expected.job.watts > cap.watts else { return nil }
        let hint: String =
            switch expected.mostCPUs {
            case let most? where most > 0: "ask for cpus = \(most) or less"
            default: "ask for less, or ask an admin to raise the cap"
            }
        return Refusal(
            "is expected to draw up to \(expected.job) \(expected.isLearned ? "as its likes did" : "for what it asks")"
                + " on top of the idle machine's \(expected.idle); machine.power-cap is \(cap) (\(machine.powerCap.place))",
            rule: machine.powerCap.source, hint: hint)
    }
}
