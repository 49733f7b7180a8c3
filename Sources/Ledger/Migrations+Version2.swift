extension Migrations {
    /// Hours and days, the chain of hashes, site factors, and what is known of an attempt's work.
    static let version2 = """
        ALTER TABLE spans ADD COLUMN water_ul INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE spans ADD COLUMN active_carbon_ug INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE spans ADD COLUMN active_water_ul INTEGER NOT NULL DEFAULT 0;
        UPDATE spans SET active_carbon_ug = CAST(carbon_ug * (1.0 * active_uj / (active_uj + idle_uj)) AS INTEGER)
            WHERE active_uj > 0 AND idle_uj >= 0;

        \(summed("hours"))
        \(summed("days"))
        CREATE TABLE frontiers (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE chain (
            seq INTEGER PRIMARY KEY,
            at_us INTEGER NOT NULL,
            source TEXT NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            rows INTEGER NOT NULL,
            note TEXT NOT NULL,
            digest BLOB NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        CREATE INDEX chain_by_source ON chain(source, last);

        CREATE TABLE chain_checks (
            seq INTEGER PRIMARY KEY,
            checks BLOB NOT NULL
        ) STRICT;

        CREATE TABLE site_factors (
            from_us INTEGER PRIMARY KEY,
            cpus INTEGER NOT NULL,
            embodied_g REAL,
            lifetime_s REAL,
            wue_l_per_kwh REAL,
            ewif_l_per_kwh REAL
        ) STRICT;

        ALTER TABLE attempts ADD COLUMN cpu_us INTEGER;
        ALTER TABLE attempts ADD COLUMN checkpoint_us INTEGER;
        ALTER TABLE attempts ADD COLUMN checkpoint_uj INTEGER;
        ALTER TABLE attempts ADD COLUMN waste_uj INTEGER;
        ALTER TABLE attempts ADD COLUMN over_reserved_uj INTEGER;
        DROP INDEX jobs_by_end;
        """

    /// The tables of one length: spans and domains as version 1 has them for minutes. `minute` is the first of the length.
    private static func summed(_ length: String) -> String {
        """
        CREATE TABLE span_\(length) (
            minute INTEGER NOT NULL,
            domain_id INTEGER NOT NULL REFERENCES domains(id),
            account TEXT NOT NULL,
            job_id INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            active_uj INTEGER NOT NULL,
            idle_uj INTEGER NOT NULL,
            low_uj INTEGER NOT NULL,
            high_uj INTEGER NOT NULL,
            carbon_ug INTEGER NOT NULL,
            carbon_low_ug INTEGER NOT NULL,
            carbon_high_ug INTEGER NOT NULL,
            gap_us INTEGER NOT NULL,
            tier TEXT NOT NULL,
            water_ul INTEGER NOT NULL,
            active_carbon_ug INTEGER NOT NULL,
            active_water_ul INTEGER NOT NULL,
            PRIMARY KEY (minute, domain_id, account, job_id, attempt)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX span_\(length)_by_job ON span_\(length)(job_id, attempt);

        CREATE TABLE domain_\(length) (
            minute INTEGER NOT NULL,
            domain_id INTEGER NOT NULL REFERENCES domains(id),
            metered_uj INTEGER NOT NULL,
            low_uj INTEGER NOT NULL,
            high_uj INTEGER NOT NULL,
            metered_us INTEGER NOT NULL,
            gap_us INTEGER NOT NULL,
            tier TEXT NOT NULL,
            PRIMARY KEY (minute, domain_id)
        ) STRICT, WITHOUT ROWID;
        """
    }
}
