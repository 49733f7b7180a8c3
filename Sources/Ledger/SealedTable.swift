/// What the chain covers: the tables whose rows do not change once they are old enough.
enum SealedTable: String, CaseIterable {
    case jobs, transitions, decisions, attempts, policies, intensities
    case siteFactors = "site_factors"
    case spans
    case domainMinutes = "domain_minutes"
    case spanHours = "span_hours"
    case domainHours = "domain_hours"
    case spanDays = "span_days"
    case domainDays = "domain_days"

    /// What bounds the rows of one entry.
    enum Range {
        /// Rows of closed minutes.
        case minute
        /// Rows that were added since, by their rising number.
        case number
    }

    var range: Range {
        switch self {
        case .jobs, .transitions, .decisions, .attempts, .policies, .intensities, .siteFactors: .number
        case .spans, .domainMinutes, .spanHours, .domainHours, .spanDays, .domainDays: .minute
        }
    }

    /// The rows of `?1 ... ?2` in their order. Only columns that never change afterwards: a queued job may still wait for
    /// another reason, but not become another user's.
    var rows: String {
        switch self {
        case .jobs:
            """
            SELECT id, name, user, uid, gid, project, kind, spec, cpus, memory_bytes, gpus, submitted_us, policy_hash
            FROM jobs WHERE id BETWEEN ?1 AND ?2 ORDER BY id
            """
        case .attempts:
            // An attempt is done when its job has left the states in which it runs: that transition bounds it.
            """
            SELECT a.job_id, a.number, a.started_us, a.ended_us, a.boot_id, a.enforced, a.epochs, a.samples, a.cpu_us,
                a.checkpoint_us, a.checkpoint_uj, a.waste_uj, a.over_reserved_uj
            FROM transitions t JOIN attempts a ON a.job_id = t.job_id
            WHERE t.id BETWEEN ?1 AND ?2 AND t.from_state IN ('starting', 'running', 'suspended')
                AND t.to_state NOT IN ('starting', 'running', 'suspended', 'queued')
            ORDER BY t.id, a.number
            """
        case .policies:
            "SELECT applied_us, hash, text FROM policies WHERE applied_us BETWEEN ?1 AND ?2 ORDER BY applied_us, hash"
        case .transitions, .decisions: "SELECT * FROM \(rawValue) WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
        case .intensities, .siteFactors:
            "SELECT * FROM \(rawValue) WHERE from_us BETWEEN ?1 AND ?2 ORDER BY from_us"
        case .domainMinutes, .domainHours, .domainDays:
            "SELECT * FROM \(rawValue) WHERE minute BETWEEN ?1 AND ?2 ORDER BY minute, domain_id"
        case .spans, .spanHours, .spanDays:
            """
            SELECT * FROM \(rawValue) WHERE minute BETWEEN ?1 AND ?2
            ORDER BY minute, domain_id, account, job_id, attempt
            """
        }
    }

    /// The highest number there is.
    var newest: String {
        switch self {
        case .jobs, .transitions, .decisions: "SELECT MAX(id) FROM \(rawValue)"
        case .attempts: "SELECT MAX(id) FROM transitions"
        case .policies: "SELECT MAX(applied_us) FROM policies"
        case .intensities, .siteFactors: "SELECT MAX(from_us) FROM \(rawValue)"
        case .spans, .domainMinutes, .spanHours, .domainHours, .spanDays, .domainDays:
            "SELECT MAX(minute) FROM \(rawValue)"
        }
    }

    /// How many leading columns of `rows` name a row to people.
    var keyColumns: Int {
        switch self {
        case .jobs, .transitions, .decisions, .policies, .intensities, .siteFactors: 1
        case .attempts, .domainMinutes, .domainHours, .domainDays: 2
        case .spans, .spanHours, .spanDays: 5
        }
    }
}
