import Policy
import Scheduling
import Units

// What of a policy is not asked of each job.

extension Replay {
    /// As the scheduler takes fair shares.
    static func shares(_ policy: PolicySet.FairShare) -> FairShare.Rules? {
        guard policy.isOn else { return nil }
        let weights = policy.weights.map { ($0.account, $0.weight.value) }
        return FairShare.Rules(
            halfLife: policy.halfLife.value, strength: Double(policy.strength.value),
            weights: Dictionary(weights) { _, last in last })
    }

    /// Says what the figures do not tell.
    mutating func addNotes() {
        if log.longerThanQueue > 0 {
            let (jobs, are) = log.longerThanQueue == 1 ? ("job", "is") : ("jobs", "are")
            log.notes.append(
                "\(log.longerThanQueue) \(jobs) longer than the queue's max-time \(are) replayed whole: nobody stated a limit"
            )
        }
        let isAsked = trace.jobs.contains { $0.request.card.mebibytes > 0 || $0.gpuModel >= 0 }
        if isAsked, let capacity = machine.capacity, capacity.cards.isEmpty {
            log.notes.append(
                "GPUs are only counted, whole: the machine does not say of what model and memory they are")
        }
        for warning in PolicyCheck.warnings(of: policy, on: machine.limits) { log.notes.append("\(warning)") }
        addStandstillNote()
        addBudgetNotes()
        addCapNotes()
        if case .stated(let idle) = policy.machine.idlePower.value, policy.machine.powerCap.value != nil,
            idle.watts < machine.idlePower
        {
            log.notes.append(
                "machine.idle-power is \(idle), less than the machine's \(Power(watts: machine.idlePower)): the cap is planned by"
                    + " the former, and may be exceeded")
        }
        let isBlind = policy.fairShare.isOn && policy.fairShare.by.value != .cpuTime
        if isBlind, !log.segments.isEmpty,
            log.segments.allSatisfy({ machine.power(of: trace.jobs[Int($0.job)]) == 0 })
        {
            log.notes.append("fair share counted nothing: neither the trace nor the machine tells what the jobs draw")
        }
    }
}
