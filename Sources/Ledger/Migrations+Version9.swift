extension Migrations {
    /// What energy cost when it was drawn, and the prices in force: null where no price was known, as of all that was before. And the
    /// groups a job's user was in when it was submitted, for policies that are tried on it later.
    static let version9 = """
        CREATE TABLE prices (
            from_us INTEGER PRIMARY KEY,
            per_kwh REAL,
            currency TEXT NOT NULL,
            currency_from_us INTEGER NOT NULL
        ) STRICT;
        \(["spans", "span_hours", "span_days"].map(money).joined(separator: "\n"))
        ALTER TABLE jobs ADD COLUMN user_groups TEXT;
        """

    /// The columns in the order in which they stand at the end of each of the three.
    private static func money(_ table: String) -> String {
        ["money_micros", "active_money_micros", "priced_uj", "active_priced_uj"]
            .map { "ALTER TABLE \(table) ADD COLUMN \($0) INTEGER;" }.joined(separator: "\n")
    }
}
