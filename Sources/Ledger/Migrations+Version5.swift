extension Migrations {
    /// What running at once would have caused, frozen at submission and priced at the end; and what each attempt drew, to be
    /// learned from.
    static let version5 = """
        CREATE TABLE baselines (
            job_id INTEGER PRIMARY KEY REFERENCES jobs(id),
            start_us INTEGER NOT NULL,
            run_s REAL,
            power_w REAL
        ) STRICT;
        CREATE TABLE savings (
            id INTEGER PRIMARY KEY,
            job_id INTEGER NOT NULL UNIQUE REFERENCES jobs(id),
            at_us INTEGER NOT NULL,
            start_us INTEGER NOT NULL,
            carbon_ug INTEGER NOT NULL,
            baseline_ug INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX savings_by_time ON savings(at_us);
        ALTER TABLE jobs ADD COLUMN likes INTEGER;
        ALTER TABLE attempts ADD COLUMN energy_uj INTEGER;
        ALTER TABLE attempts ADD COLUMN energy_low_uj INTEGER;
        ALTER TABLE attempts ADD COLUMN energy_high_uj INTEGER;
        ALTER TABLE attempts ADD COLUMN tier TEXT;
        """
}
