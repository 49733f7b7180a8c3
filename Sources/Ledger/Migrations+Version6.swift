extension Migrations {
    /// What was granted to budgets beyond what the policy gives them.
    static let version6 = """
        CREATE TABLE budget_grants (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_us INTEGER NOT NULL,
            until_us INTEGER NOT NULL,
            budget TEXT NOT NULL,
            kind TEXT NOT NULL,
            amount INTEGER NOT NULL,
            user TEXT NOT NULL,
            reason TEXT NOT NULL,
            policy_hash TEXT NOT NULL
        ) STRICT;
        CREATE INDEX budget_grants_by_end ON budget_grants(until_us);
        """
}
