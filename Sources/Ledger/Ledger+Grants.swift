import GRDB
package import Units

/// What somebody gave a budget beyond what the policy gives it, for the period in which it was given.
package struct BudgetGrant: Hashable, Sendable {
    /// Of the policy's budget.
    package var budget: String
    /// `energy`, `carbon` or `money`.
    package var kind: String
    /// In µJ, µg or millionths of the currency.
    package var amount: Int64
    package var at: Timestamp
    /// When the period ends.
    package var until: Timestamp
    package var user: String
    package var reason: String

    package init(
        budget: String, kind: String, amount: Int64, at: Timestamp, until: Timestamp, user: String, reason: String
    ) {
        self.budget = budget
        self.kind = kind
        self.amount = amount
        self.at = at
        self.until = until
        self.user = user
        self.reason = reason
    }
}

extension Ledger {
    /// Writes a grant down, and that it was decided.
    package func grant(_ grant: BudgetGrant, policyHash: String) async throws(LedgerError) {
        try await write("write a grant to budget \(grant.budget) down") { db in
            try db.execute(
                sql: """
                    INSERT INTO budget_grants (at_us, until_us, budget, kind, amount, user, reason, policy_hash)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    grant.at.microseconds, grant.until.microseconds, grant.budget, grant.kind, grant.amount, grant.user,
                    grant.reason, policyHash,
                ])
        }
    }

    /// The grants that count at `now`, in the order they were given.
    package func grants(at now: Timestamp) async throws(LedgerError) -> [BudgetGrant] {
        try await read("read what was granted to budgets") { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT budget, kind, amount, at_us, until_us, user, reason FROM budget_grants
                    WHERE until_us > ?1 AND at_us <= ?1 ORDER BY id
                    """, arguments: [now.microseconds])
            var grants: [BudgetGrant] = []
            while let row = try rows.next() {
                grants.append(
                    BudgetGrant(
                        budget: row["budget"], kind: row["kind"], amount: row["amount"],
                        at: Timestamp(microseconds: row["at_us"]), until: Timestamp(microseconds: row["until_us"]),
                        user: row["user"], reason: row["reason"]))
            }
            return grants
        }
    }
}
