import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Scheduling
import Units

// What budgets have left, read from the ledger once a minute and when jobs ended, and what follows when nothing is.
extension JobController {
    struct BudgetState: Sendable {
        var budget: Budget
        /// In the units of ``Budget/Limit/amount``.
        var spent: [BudgetKind: Int64]
        /// Energy of which nobody knows what it cost: a budget in money leaves it out.
        var unpriced: Energy
        /// Beyond the policy, in the same units.
        var granted: [BudgetKind: Int64]
        var verdict: BudgetVerdict
    }

    /// When they are looked at: each look reads a whole period of the ledger.
    struct BudgetLooks: Sendable {
        /// When the last one began.
        var last: Uptime?
        /// Of when the figures are that count.
        var at: Timestamp?
        /// How long it took.
        var took = Duration.zero
        /// Jobs have ended since, and used what no look has seen.
        var isStale = false
        /// How many were begun, and which of them is the one that counts: looks may pass one another.
        var begun = 0
        var counted = 0

        /// Of the time at most a twentieth is spent on it. Where no job runs nothing is used, but periods end.
        func isDue(at now: Uptime, isIdle: Bool) -> Bool {
            guard let last else { return true }
            let age = now.since(last)
            if isStale, age >= max(.seconds(2), took * 20) { return true }
            return age >= max(.seconds(isIdle ? 300 : 60), took * 20)
        }
    }

    /// One step of the steady pace.
    func lookAtBudgets() async {
        if budgetLooks.isDue(at: .now(), isIdle: !hasProcesses) { await readBudgets() }
    }

    /// Reads how all budgets stand, and acts on it. Where the ledger cannot be read they stand as they did.
    func readBudgets() async {
        let budgets = policy.budgets.filter { !$0.limits.isEmpty }
        guard !budgets.isEmpty || !budgetStates.isEmpty else { return }
        let began = Uptime.now()
        budgetLooks.last = began
        budgetLooks.isStale = false
        budgetLooks.begun += 1
        let number = budgetLooks.begun
        await meter.flush()
        let now = Timestamp.now()
        defer { budgetLooks.took = Uptime.now().since(began) }
        var states: [BudgetState] = []
        var use: [Timestamp: [AccountUse]] = [:]
        do {
            let grants = try await ledger.grants(at: now)
            for budget in budgets {
                let granted = Self.sum(grants, of: budget)
                let (spent, unpriced) = try await spent(of: budget, now: now, &use)
                guard let verdict = budget.verdict(spent: spent, granted: granted, at: now) else { continue }
                states.append(
                    BudgetState(
                        budget: budget, spent: spent, unpriced: unpriced, granted: granted, verdict: verdict))
            }
        } catch {
            return logger.error("cannot read what budgets have left; they stand as they did: \(error)")
        }
        // One that began later, perhaps under another policy or after a grant, knows better.
        guard number > budgetLooks.counted else { return }
        (budgetLooks.counted, budgetLooks.at) = (number, now)
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
    ) async throws -> (amounts: [BudgetKind: Int64], unpriced: Energy) {
        let accounts = budget.accounts
        var unpriced = 0.0
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
            let currency = budget.money.value?.amount.currency
            let sum = rows.reduce(0) { $0 + amount(limit.kind, $1.figures, currency) }
            if limit.kind == .money { unpriced = rows.reduce(0) { $0 + self.unpriced($1.figures, currency) } }
            spent[limit.kind] = Int64((min(max(0, sum), 9e12) * 1e6).rounded())
        }
        return (spent, Energy(joules: unpriced))
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
    private func amount(_ kind: BudgetKind, _ figures: EnergyFigures, _ currency: String?) -> Double {
        switch kind {
        case .energy: return figures.energyJ
        case .carbon: return figures.carbonG
        case .money:
            let paid = figures.currency == currency ? figures.cost ?? 0 : 0
            return paid + notBooked(figures, currency) / 3.6e6 * policy.site.pue.value
                * (policy.fallbackPrice?.perKilowattHour ?? 0)
        }
    }

    /// In J, what the ledger has no price of in this currency: drawn before there was one, or while the prices told nothing.
    private func notBooked(_ figures: EnergyFigures, _ currency: String?) -> Double {
        guard figures.cost != nil, figures.currency == currency else { return figures.energyJ }
        return figures.unpricedJ ?? 0
    }

    private func unpriced(_ figures: EnergyFigures, _ currency: String?) -> Double {
        policy.fallbackPrice == nil ? notBooked(figures, currency) : 0
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

    /// How they stood at the last look; to ask changes nothing.
    func budgetReport() -> BudgetReport {
        let at = budgetLooks.at ?? .now()
        return BudgetReport(
            budgets: budgetStates.flatMap { state in
                state.budget.limits.map { limit in
                    let spent = Double(state.spent[limit.kind] ?? 0) / 1e6
                    let most = Double(limit.amount(with: state.granted)) / 1e6
                    let part = spent / max(most, 1e-6)
                    var row = BudgetReport.Row(
                        name: state.budget.name, kind: limit.kind.rawValue, limit: limit.text, spentPart: part,
                        state: part >= 1 ? "spent" : part >= state.budget.warnAt.value ? "warning" : "open",
                        whenSpent: state.budget.whenSpent.value.rawValue, until: limit.interval(at: at).upperBound,
                        source: (limit.source ?? state.budget.source).place)
                    row.granted = state.granted[limit.kind].map {
                        limit.shown($0, currency: state.budget.money.value?.amount.currency)
                    }
                    if limit.kind == .energy { (row.energySpentJ, row.energyLimitJ) = (spent, most) }
                    if limit.kind == .carbon { (row.carbonSpentG, row.carbonLimitG) = (spent, most) }
                    if limit.kind == .money {
                        (row.moneySpent, row.moneyLimit) = (spent, most)
                        row.currency = state.budget.money.value?.amount.currency
                        row.unpricedJ = state.unpriced > .zero ? state.unpriced.joules : nil
                    }
                    return row
                }
            }, at: budgetStates.isEmpty ? nil : at)
    }
}
