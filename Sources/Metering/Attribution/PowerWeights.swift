package import Units

/// The weights by which `attribute` multiplies CPU seconds, learned for each measured domain while the daemon runs.
///
/// Feed every sample once, before it is apportioned: what it tells about the weights may be used on itself, never on samples
/// that are already booked.
package struct PowerWeights: Sendable {
    private var learners: [String: WeightLearner] = [:]

    package init() {}

    /// Takes in a sample and returns the weights to apportion it by, relative to 1; empty where CPU time is all there is to
    /// go by: for memory and cards, for models (their energy follows CPU time by construction), for gaps, and while the
    /// idle power is unknown.
    package mutating func learn(
        _ sample: DomainSample, idlePower: Power?, usages: [Usage], machine: MachineSize
    ) -> [Account: Double] {
        guard sample.kind == .cpu || sample.kind == .platform, sample.tier == .measured, let metered = sample.energy,
            let idlePower, idlePower.watts.isFinite, idlePower.watts >= 0,
            sample.seconds > 0, sample.seconds <= MeterSet.longestInterval,
            (0...largestReading).contains(metered.energy.microjoules)
        else { return [:] }
        let claims = Claims(usages, of: sample, machine: machine)
        let idle = idlePower.watts * sample.seconds
        var learner = learners[sample.domain] ?? WeightLearner()
        // Out of the dictionary while it changes, so that its arrays are not copied.
        learners[sample.domain] = nil
        learner.learn(
            active: metered.energy.joules - idle, idle: idle, seconds: sample.seconds, cpus: machine.cpus,
            use: zip(claims.accounts, claims.use).map { (account: $0, cpuSeconds: $1) })
        learners[sample.domain] = learner
        return Dictionary(uniqueKeysWithValues: learner.accounts.map { ($0, learner.weight(of: $0)) })
    }
}
