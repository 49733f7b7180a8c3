package import JobAPI
package import Units

extension Scheduler {
    /// Which grants would let a job start that waits for spent budgets alone, in words; nil for one that waits for anything else.
    package func grantHint(for id: JobID, now: Timestamp) -> String? {
        guard let job = pending[id], job.isFree, dueAt[id].map({ $0 <= now }) ?? true else { return nil }
        let spent = bindings.spentBudgets(of: job.standing, at: now)
        let grants = spent.flatMap { $0.budget.grants }
        guard !grants.isEmpty else { return nil }
        var granted = self
        var startsNow = false
        if pendingCount <= Self.mostForChanges {
            granted.adopt(spent: bindings.spent.filter { name, _ in !spent.contains { $0.name == name } })
            startsNow = granted.plan(now: now).starts.contains(id)
        }
        return "nothing is left; with \(grants.joined(separator: " and "))"
            + (startsNow ? " it would start now" : " it would be free to start")
    }
}
