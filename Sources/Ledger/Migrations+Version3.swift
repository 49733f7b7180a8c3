extension Migrations {
    /// Arrays, jobs that wait for others, further attempts, suspension, what an attempt was given, and the sizes of artifacts.
    static let version3 = """
        ALTER TABLE jobs ADD COLUMN array_id INTEGER;
        ALTER TABLE jobs ADD COLUMN array_index INTEGER;
        ALTER TABLE jobs ADD COLUMN array_limit INTEGER;
        ALTER TABLE jobs ADD COLUMN after TEXT;
        ALTER TABLE jobs ADD COLUMN retried INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN requeued_by TEXT;
        CREATE UNIQUE INDEX jobs_by_array ON jobs(array_id, array_index) WHERE array_id IS NOT NULL;
        CREATE INDEX jobs_by_array_state ON jobs(array_id, state) WHERE array_id IS NOT NULL;
        ALTER TABLE attempts ADD COLUMN outcome TEXT;
        ALTER TABLE attempts ADD COLUMN suspended_us INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE attempts ADD COLUMN placement TEXT;
        ALTER TABLE artifacts ADD COLUMN bytes INTEGER;
        """
}
