extension Migrations {
    /// The key under which a client sent a submission, so that one sent twice is one job; null where it sent none, as for all that was
    /// before. Of an array its first element has it.
    static let version10 = """
        ALTER TABLE jobs ADD COLUMN submission TEXT;
        CREATE UNIQUE INDEX jobs_by_submission ON jobs(uid, submission) WHERE submission IS NOT NULL;
        """
}
