import JobAPI

/// What the chain covers: the tables whose rows do not change once they are old enough.
enum SealedTable: String, CaseIterable {
    case jobs, transitions, decisions, attempts, policies, intensities, domains, baselines, savings, prices
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
        case .jobs, .transitions, .decisions, .attempts, .policies, .intensities, .siteFactors, .domains, .baselines,
            .savings, .prices:
            .number
        case .spans, .domainMinutes, .spanHours, .domainHours, .spanDays, .domainDays: .minute
        }
    }

    /// The rows of `?1 ... ?2` in their order. Only columns that never change afterwards: a queued job may still wait for
    /// another reason, but not become another user's.
    var rows: String {
        switch self {
        case .jobs:
            """
            SELECT id, name, user, uid, gid, project, queue, priority, kind, spec, cpus, memory_bytes, gpus, time_limit_s,
                submitted_us, policy_hash, array_id, array_index, after
            FROM jobs WHERE id BETWEEN ?1 AND ?2 ORDER BY id
            """
        case .attempts:
            // All attempts of a job are done when it has ended: the one transition to its last state bounds them.
            """
            SELECT a.job_id, a.number, a.started_us, a.ended_us, a.boot_id, a.enforced, a.epochs, a.samples, a.cpu_us,
                a.checkpoint_us, a.checkpoint_uj, a.waste_uj, a.over_reserved_uj, a.outcome, a.suspended_us
            FROM transitions t JOIN attempts a ON a.job_id = t.job_id
            WHERE t.id BETWEEN ?1 AND ?2 AND t.to_state IN (\(Self.finalStates))
            ORDER BY t.id, a.number
            """
        case .policies:
            "SELECT applied_us, hash, text FROM policies WHERE applied_us BETWEEN ?1 AND ?2 ORDER BY applied_us, hash"
        case .baselines:
            """
            SELECT job_id, start_us, run_s, power_w FROM baselines WHERE job_id BETWEEN ?1 AND ?2 ORDER BY job_id
            """
        case .savings:
            """
            SELECT id, job_id, at_us, start_us, carbon_ug, baseline_ug FROM savings
            WHERE id BETWEEN ?1 AND ?2 ORDER BY id
            """
        case .transitions, .decisions, .domains: "SELECT * FROM \(rawValue) WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
        case .intensities, .siteFactors, .prices:
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
        case .baselines: "SELECT MAX(job_id) FROM baselines"
        case .jobs, .transitions, .decisions, .domains, .savings: "SELECT MAX(id) FROM \(rawValue)"
        case .attempts: "SELECT MAX(id) FROM transitions"
        case .policies: "SELECT MAX(applied_us) FROM policies"
        case .intensities, .siteFactors, .prices: "SELECT MAX(from_us) FROM \(rawValue)"
        case .spans, .domainMinutes, .spanHours, .domainHours, .spanDays, .domainDays:
            "SELECT MAX(minute) FROM \(rawValue)"
        }
    }

    /// How many leading columns of `rows` name a row to people.
    var keyColumns: Int {
        switch self {
        case .jobs, .transitions, .decisions, .policies, .intensities, .siteFactors, .domains, .baselines, .savings,
            .prices:
            1
        case .attempts, .domainMinutes, .domainHours, .domainDays: 2
        case .spans, .spanHours, .spanDays: 5
        }
    }

    /// How many columns at the end were added after rows were sealed. Where they are null a row is sealed as it was without them.
    var addedColumns: Int {
        switch self {
        case .spans, .spanHours, .spanDays: 4
        default: 0
        }
    }

    private static let finalStates = JobState.allCases.filter(\.isFinal).map { "'\($0.rawValue)'" }.joined(
        separator: ", ")
}
