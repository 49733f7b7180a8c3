extension Migrations {
    /// How much of its standing still was its owner's doing: that alone is bounded by a queue's `max-suspended`. Of what was
    /// before this release nobody knows.
    static let version7 = """
        ALTER TABLE attempts ADD COLUMN owner_suspended_us INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE attempts ADD COLUMN owner_since_us INTEGER;
        UPDATE attempts SET owner_since_us = (
            SELECT MAX(at_us) FROM transitions WHERE job_id = attempts.job_id AND to_state = 'suspended')
        WHERE EXISTS (
            SELECT 1 FROM jobs WHERE id = attempts.job_id AND attempt = attempts.number AND state = 'suspended' AND held = 2);
        """
}
