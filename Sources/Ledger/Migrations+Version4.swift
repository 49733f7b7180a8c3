extension Migrations {
    /// How far a job may be moved about, so that a restart keeps it.
    static let version4 = """
        ALTER TABLE jobs ADD COLUMN deadline_us INTEGER;
        ALTER TABLE jobs ADD COLUMN latest_start_us INTEGER;
        ALTER TABLE jobs ADD COLUMN interruptible INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN minimise TEXT;
        ALTER TABLE jobs ADD COLUMN defer_rule TEXT;
        """
}
