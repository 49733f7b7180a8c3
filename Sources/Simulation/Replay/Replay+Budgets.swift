import JobAPI
import Policy
import Scheduling
import Units

// What budgets have spent, and what follows, by the daemon's own code; it looks once a minute, the replay at each event.
extension Replay {
    /// The budgets a job is paid from, by their places in the policy.
    func budgets(of index: Int, _ job: PendingJob) -> [Int] {
        guard !book.isEmpty else { return [] }
        let subject = RuleMatch.Subject(
            submitter: submitters.known(trace.jobs[index]), project: job.project, queue: job.queue, kind: "command",
            cpus: job.request.cpus, gpus: job.request.gpus, memory: job.request.memory,
            interruptible: job.isInterruptible)
        return policy.budgets.indices.filter { policy.budgets[$0].includes(subject) }
    }

    /// A job that takes more than its budget has in a whole period is stopped in each, and never ends.
    private static let mostStops = 20

    mutating func spend(at now: Timestamp) {
        guard !book.isEmpty else { return }
        book.advance(to: now)
        var spent: [String: SpentBudget] = [:]
        for (place, budget, verdict) in book.verdicts(at: now) where verdict.holds {
            spent[budget.name] = SpentBudget(until: verdict.until, reason: verdict.reason, rule: verdict.rule)
            guard verdict.preempts, verdict.until > now else { continue }
            for id in active.keys.sorted() {
                guard let job = active[id], job.budgets.contains(place) else { continue }
                let isTooMuch = log.runs[job.index].preemptions >= Self.mostStops
                if isTooMuch { beyondBudgets += 1 }
                stop(id, forGood: isTooMuch, at: now)
            }
        }
        // How much of it is spent changes at each event, and makes no other plan.
        let until = spent.mapValues(\.until)
        guard until != spentUntil else { return }
        spentUntil = until
        scheduler.adopt(spent: spent)
    }

    mutating func addBudgetNotes() {
        guard !policy.budgets.isEmpty else { return }
        log.notes.append(
            "budgets begin with nothing spent, count what jobs draw beyond the idle machine, and are granted nothing more"
        )
        if beyondBudgets > 0 {
            log.notes.append(
                "\(beyondBudgets) stopped by a budget \(Self.mostStops) times and left out then: they take more than it has in a period"
            )
        }
        for budget in policy.budgets {
            let unknown = budget.limits.map(\.kind).filter {
                $0 == .carbon && !options.prices.hasIntensity || $0 == .money && !options.prices.hasPrice
            }
            for kind in unknown {
                log.notes.append(
                    "budget \"\(budget.name)\" counts no \(kind.rawValue): nobody tells "
                        + (kind == .carbon ? "the grid's intensity" : "what energy costs"))
            }
        }
    }
}
