extension Migrations {
    /// Of what an attempt drew the part that the machine would have drawn without it: a power cap is planned by the rest. And under
    /// which power limit it ran: -1 where that changed.
    static let version8 = """
        ALTER TABLE attempts ADD COLUMN idle_uj INTEGER;
        ALTER TABLE attempts ADD COLUMN power_limit_mw INTEGER;
        """
}
