import JobAPI
import Ledger
import LinuxSystem
import Logging
import Policy
import Units

// What a budget gets beyond what the policy gives it, for the period that goes on.
extension JobController {
    func grant(_ request: BudgetGrantRequest, to name: String, from peer: Peer) async throws -> BudgetReport {
        try check(.changeBudgets, peer)
        guard let budget = policy.budget(name) else {
            let names = policy.budgets.map(\.name)
            throw APIError(
                .notFound, "the policy has no budget \"\(name.prefix(64))\"",
                hint: names.isEmpty
                    ? "budgets are set in policy files" : "its budgets are \(names.joined(separator: ", "))")
        }
        let (kind, amount) = try amount(request.amount, of: budget)
        guard let limit = budget.limits.first(where: { $0.kind == kind }) else {
            let kinds = budget.limits.map(\.kind.rawValue).joined(separator: " and ")
            throw APIError(
                .invalidRequest, "budget \"\(name)\" has no limit of \(kind.rawValue)",
                hint: "its limits are of \(kinds)")
        }
        // What is granted and what is left of it are added up.
        guard amount > 0, amount <= Int64.max / 1024 else {
            throw APIError(.invalidRequest, "\"\(request.amount.prefix(64))\" is nothing that can be granted")
        }
        let reason = request.reason ?? ""
        guard reason.utf8.count <= 1000, !reason.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw APIError(.invalidRequest, "\"reason\" is one line of at most 1000 bytes")
        }
        let now = Timestamp.now()
        let user = User.lookup(uid: peer.uid, gid: peer.gid).name
        try await ledger.grant(
            BudgetGrant(
                budget: name, kind: kind.rawValue, amount: amount, at: now, until: limit.interval(at: now).upperBound,
                user: user, reason: reason), policyHash: policy.hash)
        logger.notice(
            "granted", metadata: ["budget": "\(name)", "amount": "\(request.amount.prefix(64))", "user": "\(user)"])
        await readBudgets()
        return budgetReport()
    }

    /// The quantity is told by the unit.
    private func amount(_ text: String, of budget: Budget) throws -> (BudgetKind, Int64) {
        if let energy = try? Energy(parsing: text) { return (.energy, energy.microjoules) }
        if let carbon = try? CarbonMass(parsing: text) { return (.carbon, carbon.micrograms) }
        guard let money = try? Money(parsing: text) else {
            throw APIError(
                .invalidRequest, "\"\(text.prefix(64))\" is no energy, carbon or money",
                hint: "such as \"10 kWh\", \"2 kg\" or \"20 EUR\"")
        }
        let currency = budget.money.value?.amount.currency
        guard currency == nil || money.currency == currency else {
            throw APIError(
                .invalidRequest, "budget \"\(budget.name)\" is in \(currency ?? ""), not in \(money.currency)")
        }
        return (.money, money.micros)
    }
}
