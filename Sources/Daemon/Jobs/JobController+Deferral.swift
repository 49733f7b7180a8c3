import JobAPI
import Ledger
import Policy
import Scheduling
import Units

// How far jobs may be moved about for less carbon or a lower price.
extension JobController {
    /// How long a job is taken to run, in seconds: what is planned by. Nil where nobody can tell.
    ///
    /// A deadline is planned for with the time limit, since a job that runs longer than its likes must meet it too. Where it only
    /// decides which hours are best, or there is no limit, what is learned of its likes is nearer the truth.
    func expectedRunTime(_ leeway: Leeway, likes: UInt64, timeLimit: Double?) -> Double? {
        if leeway.deadline != nil, let timeLimit { return timeLimit }
        guard let learned = scheduler.history.predicted(likes)?.seconds else { return timeLimit }
        return min(learned, timeLimit ?? learned)
    }

    /// As the policy admitted it.
    func leeway(_ admitted: AdmittedJob) -> Leeway {
        Leeway(
            deadline: admitted.deadline, latestStart: admitted.deferral?.latestStart,
            isInterruptible: admitted.interruptible, minimise: admitted.deferral?.goal.rawValue,
            rule: admitted.deferral?.source?.description)
    }

    /// What the scheduler may do with a job; nil where it starts as soon as it can.
    func flexibility(_ leeway: Leeway, likes: UInt64, timeLimit: Double?) -> Flexibility? {
        guard leeway.isAny, let runTime = expectedRunTime(leeway, likes: likes, timeLimit: timeLimit) else {
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
        flexibility(stored.leeway, likes: stored.keys.work, timeLimit: stored.timeLimit)
    }

    /// Said of a job that might be deferred and is not; nil for any other.
    func whyNotDeferred(_ leeway: Leeway, likes: UInt64, timeLimit: Double?) -> String? {
        guard leeway.isAny, expectedRunTime(leeway, likes: likes, timeLimit: timeLimit) == nil else { return nil }
        return "not deferred: it has no time limit and no jobs like it ran before, so nobody can say when it would end"
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
