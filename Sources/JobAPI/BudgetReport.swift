package import Units

/// How the budgets of the policy stand.
package struct BudgetReport: Codable, Hashable, Sendable {
    /// One quantity of one budget.
    package struct Row: Codable, Hashable, Sendable {
        package var name: String
        /// `energy`, `carbon` or `money`.
        package var kind: String
        /// As the policy says it: `50 kWh/month`.
        package var limit: String
        package var energySpentJ: Double?
        package var energyLimitJ: Double?
        package var carbonSpentG: Double?
        package var carbonLimitG: Double?
        /// In units of `currency`.
        package var moneySpent: Double?
        package var moneyLimit: Double?
        package var currency: String?
        /// Energy of which nobody knows what it cost; the money leaves it out.
        package var unpricedJ: Double?
        /// What was granted beyond the limit in this period, a part of the limit figures above; for people.
        package var granted: String?
        /// Of the limit; may be above 1.
        package var spentPart: Double
        /// `open`, `warning` or `spent`.
        package var state: String
        /// What follows when it is spent: `hold`, `warn` or `preempt`.
        package var whenSpent: String
        /// When all begins anew.
        package var until: Timestamp
        /// Where it was set, as `file:line`.
        package var source: String

        package init(
            name: String, kind: String, limit: String, spentPart: Double, state: String, whenSpent: String,
            until: Timestamp, source: String
        ) {
            self.name = name
            self.kind = kind
            self.limit = limit
            self.spentPart = spentPart
            self.state = state
            self.whenSpent = whenSpent
            self.until = until
            self.source = source
        }
    }

    package var budgets: [Row]
    /// When that was looked at; nil without budgets.
    package var at: Timestamp?

    package init(budgets: [Row], at: Timestamp? = nil) {
        self.budgets = budgets
        self.at = at
    }
}

/// `POST /v1/budgets/NAME/grants`: more for a budget in the period that goes on.
package struct BudgetGrantRequest: Codable, Hashable, Sendable {
    /// Such as `10 kWh`.
    package var amount: String
    package var reason: String?

    package init(amount: String, reason: String? = nil) {
        self.amount = amount
        self.reason = reason
    }
}
