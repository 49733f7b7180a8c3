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
        /// Beyond the policy, in the same units.
        var granted: [BudgetKind: Int64]
        var verdict: BudgetVerdict
    }

    /// Reads how all budgets stand. Where the ledger cannot be read they stand as they did.
    func readBudgets() async {
        let budgets = policy.budgets.filter { isCounted($0) }
        guard !budgets.isEmpty || !budgetStates.isEmpty else { return }
        await meter.flush()
        let now = Timestamp.now()
        var states: [BudgetState] = []
        var use: [Timestamp: [AccountUse]] = [:]
        do {
            let grants = try await ledger.grants(at: now)
            for budget in budgets {
                let granted = Self.sum(grants, of: budget)
                let spent = try await spent(of: budget, now: now, &use)
                guard let verdict = budget.verdict(spent: spent, granted: granted, at: now) else { continue }
                states.append(BudgetState(budget: budget, spent: spent, granted: granted, verdict: verdict))
            }
        } catch {
            return logger.error("cannot read what budgets have left; they stand as they did: \(error)")
        }
        for state in states where state.verdict.state != .open {
            let before = budgetStates.first { $0.budget.name == state.budget.name }?.verdict.state ?? .open
            if state.verdict.state > before { logger.warning("\(state.verdict.reason)") }
        }
        budgetStates = states
        holdForBudgets()
        await preemptForBudgets(now: now)
    }

    /// Adds up what a budget has spent in each of its quantities.
    /// - Parameter use: what each user used in each project since a time; read once for all budgets that begin then.
    private func spent(
        of budget: Budget, now: Timestamp, _ use: inout [Timestamp: [AccountUse]]
    ) async throws -> [BudgetKind: Int64] {
        let accounts = budget.accounts
        var spent: [BudgetKind: Int64] = [:]
        for limit in budget.limits {
            let since = limit.interval(at: now).lowerBound
            if use[since] == nil {
                use[since] = try await ledger.accountUse(from: since, to: now, basis: billingBasis)
            }
            let rows = (use[since] ?? []).filter { row in
                accounts.includes(
                    user: row.user, groups: accounts.groups.value == nil ? [] : groups(ofUser: row.user),
                    project: row.project)
            }
            let sum = rows.reduce(0) { $0 + amount(limit.kind, $1.figures) }
            spent[limit.kind] = Int64((min(max(0, sum), 9e12) * 1e6).rounded())
        }
        return spent
    }

    private static func sum(_ grants: [BudgetGrant], of budget: Budget) -> [BudgetKind: Int64] {
        var sum: [BudgetKind: Int64] = [:]
        for grant in grants where grant.budget == budget.name {
            guard let kind = BudgetKind(rawValue: grant.kind) else { continue }
            let (more, overflow) = (sum[kind] ?? 0).addingReportingOverflow(grant.amount)
            sum[kind] = overflow ? .max : more
        }
        return sum
    }

    /// In J, g or units of the currency.
    private func amount(_ kind: BudgetKind, _ figures: EnergyFigures) -> Double {
        switch kind {
        case .energy: figures.energyJ
        case .carbon: figures.carbonG
        case .money: figures.energyJ / 3.6e6 * policy.site.pue.value * (policy.steadyPrice?.perKilowattHour ?? 0)
        }
    }

    private func subject(of job: LiveJob) -> RuleMatch.Subject {
        policy.subject(
            of: job.spec, queue: job.queue, project: job.spec.project ?? settings.defaultProject,
            by: submitter(uid: job.uid, gid: job.gid))
    }

    /// Jobs whose budget is spent wait until it has something left again; others go on meanwhile.
    private func holdForBudgets() {
        var spent: [String: SpentBudget] = [:]
        for state in budgetStates where state.verdict.holds {
            let verdict = state.verdict
            spent[state.budget.name] = SpentBudget(
                until: verdict.until, reason: verdict.reason, rule: verdict.rule, grants: verdict.grants)
        }
        scheduler.adopt(spent: spent)
        requestPlan()
    }

    private func preemptForBudgets(now: Timestamp) async {
        for state in budgetStates where state.verdict.preempts && state.verdict.until > now {
            for id in scheduler.active.keys.sorted() {
                guard let job = live[id], job.isLeftAlone,
                    state.budget.includes(subject(of: job))
                else { continue }
                do {
                    try await preempt(id, by: "mld, for " + state.verdict.reason)
                } catch {
                    logger.error("cannot stop it for its budget: \(error)", metadata: ["job": "\(id)"])
                }
            }
        }
    }

    /// The groups of a user by name: of one who is not known any more none.
    private func groups(ofUser name: String) -> [String] {
        if let known = submitters.values.first(where: { $0.submitter.user == name }) { return known.submitter.groups }
        guard let user = User.lookup(name: name) else { return [] }
        return submitter(uid: user.uid, gid: user.gid).groups
    }

    func budgetReport() async -> BudgetReport {
        await readBudgets()
        return BudgetReport(
            budgets: budgetStates.flatMap { state in
                state.budget.limits.map { limit in
                    let spent = Double(state.spent[limit.kind] ?? 0) / 1e6
                    let most = Double(limit.amount(with: state.granted)) / 1e6
                    let part = spent / max(most, 1e-6)
                    var row = BudgetReport.Row(
                        name: state.budget.name, kind: limit.kind.rawValue, limit: limit.text, spentPart: part,
                        state: part >= 1 ? "spent" : part >= state.budget.warnAt.value ? "warning" : "open",
                        whenSpent: state.budget.whenSpent.value.rawValue, until: limit.interval(at: .now()).upperBound,
                        source: (limit.source ?? state.budget.source).place)
                    row.granted = state.granted[limit.kind].map {
                        limit.shown($0, currency: state.budget.money.value?.amount.currency)
                    }
                    if limit.kind == .energy { (row.energySpentJ, row.energyLimitJ) = (spent, most) }
                    if limit.kind == .carbon { (row.carbonSpentG, row.carbonLimitG) = (spent, most) }
                    if limit.kind == .money {
                        (row.moneySpent, row.moneyLimit) = (spent, most)
                        row.currency = state.budget.money.value?.amount.currency
                    }
                    return row
                }
            })
    }
}

extension JobController {
    /// Whether mld can add up what it has spent: money only where energy has one price.
    private func isCounted(_ budget: Budget) -> Bool {
        !budget.limits.isEmpty && (budget.money.value == nil || policy.steadyPrice != nil)
    }
}
