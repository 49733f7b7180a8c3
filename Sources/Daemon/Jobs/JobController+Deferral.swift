import JobAPI
import Ledger
import Policy
import Scheduling
import Units

// How far jobs may be moved about for less carbon or a lower price.
extension JobController {
    /// How long a job is expected to run, in seconds: what is planned by. Its time limit, as long as nothing is learned of its
    /// like; nil where it has none.
    func expectedRunTime(user: String, queue: String, timeLimit: Double?) -> Double? { timeLimit }

    /// As the policy admitted it.
    func leeway(_ admitted: AdmittedJob) -> Leeway {
        Leeway(
            deadline: admitted.deadline, latestStart: admitted.deferral?.latestStart,
            isInterruptible: admitted.interruptible, minimise: admitted.deferral?.goal.rawValue,
            rule: admitted.deferral?.source?.description)
    }

    /// What the scheduler may do with a job; nil where it starts as soon as it can.
    func flexibility(_ leeway: Leeway, user: String, queue: String, timeLimit: Double?) -> Flexibility? {
        guard leeway.isAny, let runTime = expectedRunTime(user: user, queue: queue, timeLimit: timeLimit) else {
            return nil
        }
        return Flexibility(
            deadline: leeway.deadline, latestStart: leeway.latestStart, runTime: runTime,
            isInterruptible: leeway.isInterruptible, goal: goal(leeway),
            source: leeway.rule.flatMap { RuleReference($0) })
    }

    /// A deadline alone does not say what for: for less carbon, or for less money where only the price is known to change.
    private func goal(_ leeway: Leeway) -> Flexibility.Goal {
        if let goal = leeway.minimise.flatMap(Flexibility.Goal.init) { return goal }
        let isPriceAlone = !policy.carbon.source.value.isSeries && policy.carbon.price.value?.isSeries == true
        return isPriceAlone ? .cost : .carbon
    }

    func flexibility(of stored: StoredJob) -> Flexibility? {
        flexibility(
            stored.leeway, user: stored.record.user, queue: stored.record.queue, timeLimit: stored.timeLimit)
    }

    /// Said of a job that might be deferred and is not; nil for any other.
    func whyNotDeferred(_ leeway: Leeway, user: String, queue: String, timeLimit: Double?) -> String? {
        guard leeway.isAny, expectedRunTime(user: user, queue: queue, timeLimit: timeLimit) == nil else { return nil }
        return "not deferred: it has no time limit, so nobody can say when it would end"
    }

    /// Of an active job that the plan may suspend: what it has done, and what is left.
    /// - Parameter since: since when it stands still, if it does.
    func shift(of stored: StoredJob, suspendedSince since: Timestamp?, now: Timestamp) -> ActiveShift? {
        // What a person suspended is the person's.
        guard stored.record.state != .suspended || stored.holder == .plan, let flexibility = flexibility(of: stored),
            flexibility.isInterruptible, let began = stored.attemptStartedAt
        else { return nil }
        let end = max(began, since ?? now)
        let ran = max(0, end.since(began).seconds - stored.suspendedSeconds)
        return ActiveShift(
            flexibility: flexibility, remaining: max(0, flexibility.runTime - ran),
            limitLeft: stored.timeLimit.map { max(0, $0 - ran) }, asOf: now, isSuspended: since != nil)
    }
}
