import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Scheduling
import Units

// What budgets have left, read from the ledger once a minute, and what follows when nothing is.
extension JobController {
    struct BudgetState: Sendable {
        var budget: Budget
        /// In the units of ``Budget/Limit/amount``.
        var spent: [BudgetKind: Int64]
        var verdict: BudgetVerdict
    }

    /// A job that waits for a budget, and what it waited for before.
    struct HeldByBudget: Sendable {
        var budget: String
        var reason: String
        var notBefore: Timestamp?
        var note: String?
    }

    /// Reads how all budgets stand. Where the ledger cannot be read they stand as they did.
    func readBudgets() async {
        let budgets = policy.budgets.filter(\.isCounted)
        guard !budgets.isEmpty || !budgetStates.isEmpty else { return }
        await meter.flush()
        let now = Timestamp.now()
        var states: [BudgetState] = []
        do {
            for budget in budgets {
                let spent = try await spent(of: budget, now: now)
                guard let verdict = budget.verdict(spent: spent, at: now) else { continue }
                states.append(BudgetState(budget: budget, spent: spent, verdict: verdict))
            }
        } catch {
            return logger.error("cannot read what budgets have left; they stand as they did: \(error)")
        }
        for state in states where state.verdict.state != .open {
            let before = budgetStates.first { $0.budget.name == state.budget.name }?.verdict.state ?? .open
            if state.verdict.state > before { logger.warning("\(state.verdict.reason)") }
        }
        budgetStates = states
        releaseFromBudgets(now: now)
        await preemptForBudgets(now: now)
    }

    private func spent(of budget: Budget, now: Timestamp) async throws -> [BudgetKind: Int64] {
        let accounts = budget.accounts
        let grouping: ReportGrouping = accounts.projects.value == nil ? .user : .project
        var spent: [BudgetKind: Int64] = [:]
        for limit in budget.limits where limit.kind != .money {
            let report = try await ledger.report(
                ReportQuery(
                    since: limit.interval(at: now).lowerBound, until: now, by: grouping,
                    basis: billingBasis))
            let rows = report.rows.filter { row in
                accounts.includes(
                    user: grouping == .user ? row.key : "", groups: [], project: grouping == .project ? row.key : "")
            }
            let sum = rows.reduce(0) { $0 + (limit.kind == .energy ? $1.figures.energyJ : $1.figures.carbonG) }
            spent[limit.kind] = Int64((min(sum, 9e12) * 1e6).rounded())
        }
        return spent
    }

    /// The budget that keeps a job from starting. One whose period is over keeps none, until it is read again.
    func budgetHold(_ stored: StoredJob, now: Timestamp) -> BudgetState? {
        guard !budgetStates.isEmpty else { return nil }
        let subject = subject(of: stored.spec, queue: stored.record.queue, uid: stored.record.uid, gid: stored.gid)
        return budgetStates.first { $0.verdict.holds && $0.verdict.until > now && $0.budget.includes(subject) }
    }

    private func subject(of spec: JobSpec, queue: String, uid: UInt32, gid: UInt32) -> RuleMatch.Subject {
        let user = User.lookup(uid: uid, gid: gid)
        return policy.subject(
            of: spec, queue: queue, project: spec.project ?? settings.defaultProject,
            by: Submitter(uid: user.uid, user: user.name, groups: user.groupNames, home: user.home))
    }

    /// Lets a job wait for the budget's next period; others go on meanwhile.
    func waitForBudget(_ job: PendingJob, _ state: BudgetState) {
        let verdict = state.verdict
        var waiting = job
        heldByBudget[job.id] = HeldByBudget(
            budget: state.budget.name, reason: verdict.reason, notBefore: job.notBefore, note: job.note)
        waiting.notBefore = verdict.until
        waiting.note = verdict.reason
        waiting.rule = verdict.rule
        scheduler.add(waiting)
        requestPlan()
    }

    /// Those whose budget has something left again, by a higher limit or a new period, wait for their turn. The others are left
    /// alone, however many they are.
    private func releaseFromBudgets(now: Timestamp) {
        let spent = Set(budgetStates.filter { $0.verdict.holds && $0.verdict.until > now }.map(\.budget.name))
        let released = heldByBudget.filter { !spent.contains($0.value.budget) }
        guard !released.isEmpty else { return }
        for (id, held) in released {
            heldByBudget[id] = nil
            guard var job = scheduler.pendingJob(id), job.note == held.reason else { continue }
            job.notBefore = held.notBefore
            job.note = held.note
            job.rule = nil
            scheduler.add(job)
        }
        requestPlan()
    }

    private func preemptForBudgets(now: Timestamp) async {
        for state in budgetStates where state.verdict.preempts && state.verdict.until > now {
            for id in scheduler.active.keys.sorted() {
                guard let job = live[id], job.isLeftAlone,
                    state.budget.includes(
                        subject(of: job.spec, queue: job.queue, uid: job.uid, gid: job.gid))
                else { continue }
                do {
                    try await preempt(id, by: "mld, for " + state.verdict.reason)
                } catch {
                    logger.error("cannot stop it for its budget: \(error)", metadata: ["job": "\(id)"])
                }
            }
        }
    }

    func budgetReport() async -> BudgetReport {
        await readBudgets()
        return BudgetReport(
            budgets: budgetStates.flatMap { state in
                state.budget.limits.filter { $0.kind != .money }.map { limit in
                    let spent = Double(state.spent[limit.kind] ?? 0) / 1e6
                    let most = Double(limit.amount) / 1e6
                    let part = spent / max(most, 1e-6)
                    var row = BudgetReport.Row(
                        name: state.budget.name, kind: limit.kind.rawValue, limit: limit.text, spentPart: part,
                        state: part >= 1 ? "spent" : part >= state.budget.warnAt.value ? "warning" : "open",
                        whenSpent: state.budget.whenSpent.value.rawValue, until: limit.interval(at: .now()).upperBound,
                        source: (limit.source ?? state.budget.source).place)
                    if limit.kind == .energy { (row.energySpentJ, row.energyLimitJ) = (spent, most) }
                    if limit.kind == .carbon { (row.carbonSpentG, row.carbonLimitG) = (spent, most) }
                    return row
                }
            })
    }
}

extension Budget {
    /// Whether mld adds up what it has spent: by project or by user.
    fileprivate var isCounted: Bool {
        accounts.groups.value == nil && (accounts.users.value == nil || accounts.projects.value == nil)
            && limits.contains { $0.kind != .money }
    }
}
