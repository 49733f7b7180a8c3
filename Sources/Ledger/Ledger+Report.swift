import GRDB
package import JobAPI
package import Units

/// What to add up.
package struct ReportQuery: Sendable {
    package var since: Timestamp
    package var until: Timestamp
    package var by: ReportGrouping
    /// Only this job.
    package var job: JobID?
    /// Only this user's jobs, for those who may not see others'.
    package var user: String?

    package init(since: Timestamp, until: Timestamp, by: ReportGrouping, job: JobID? = nil, user: String? = nil) {
        self.since = since
        self.until = until
        self.by = by
        self.job = job
        self.user = user
    }
}

extension Ledger {
    /// Adds up the spans of whole minutes in `since ..< until`, jobs only; the balance shows the other accounts.
    package func report(_ query: ReportQuery) async throws(LedgerError) -> EnergyReport {
        try await read("make the report") { db in
            let (condition, arguments) = Self.condition(query)
            let key = Self.key(query.by)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(key) AS key, COUNT(DISTINCT s.job_id) AS jobs, \(Self.sums)
                    FROM spans s JOIN jobs j ON j.id = s.job_id LEFT JOIN domains d ON d.id = s.domain_id
                    WHERE s.account = 'job' AND \(condition) GROUP BY key ORDER BY \(query.by == .job ? "s.job_id" : "key")
                    """, arguments: arguments)
            let reportRows = try rows.map { row -> EnergyReport.Row in
                let key: String = row["key"]
                var report = EnergyReport.Row(key: key, jobs: row["jobs"], durationS: 0, figures: Self.figures(row))
                if query.by == .job, let id = Int64(key) { try Self.describe(db, &report, job: id) }
                return report
            }
            let durations = try Self.durations(db, query)
            let total =
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT COUNT(DISTINCT s.job_id) AS jobs, \(Self.sums)
                        FROM spans s JOIN jobs j ON j.id = s.job_id WHERE s.account = 'job' AND \(condition)
                        """, arguments: arguments)
            let totals = EnergyReport.Row(
                key: "total", jobs: total?["jobs"] ?? 0, durationS: durations.values.reduce(0, +),
                figures: total.map(Self.figures) ?? .init())
            return EnergyReport(
                period: .init(since: query.since, until: query.until), by: query.by,
                rows: reportRows.map { row in
                    var row = row
                    row.durationS = durations[query.by == .device ? "total" : row.key] ?? 0
                    return row
                }, totals: totals, balance: try Self.balance(db, query), notes: [])
        }
    }

    /// The first minute that was metered; now, when none was.
    package func beginning() async throws(LedgerError) -> Timestamp {
        let minute = try await read("find the first reading") { db in
            try Int64.fetchOne(db, sql: "SELECT MIN(minute) FROM domain_minutes")
        }
        return minute.map { Timestamp(microseconds: $0 * 60_000_000) } ?? .now()
    }

    /// The sums that make ``EnergyFigures``.
    static let sums = """
        SUM(s.active_uj) AS active, SUM(s.idle_uj) AS idle, SUM(s.low_uj) AS low, SUM(s.high_uj) AS high,
        SUM(s.carbon_ug) AS carbon, SUM(s.carbon_low_ug) AS carbon_low, SUM(s.carbon_high_ug) AS carbon_high,
        SUM(s.gap_us) / MAX(COUNT(DISTINCT s.domain_id), 1) AS gap, MAX(\(rank("s.tier"))) AS tier
        """

    static func figures(_ row: Row) -> EnergyFigures {
        let joules = { (key: String) -> Double in Double((row[key] as Int64?) ?? 0) / 1e6 }
        let tiers: [Tier] = [.gap, .measured, .calibrated, .table]
        let tier: Int? = row["tier"]
        return EnergyFigures(
            energyJ: Double(((row["active"] as Int64?) ?? 0) + ((row["idle"] as Int64?) ?? 0)) / 1e6,
            energyLowJ: joules("low"), energyHighJ: joules("high"),
            activeJ: joules("active"), reservedIdleJ: joules("idle"), carbonG: joules("carbon"),
            carbonLowG: joules("carbon_low"), carbonHighG: joules("carbon_high"),
            tier: tier.flatMap { tiers.indices.contains($0) ? tiers[$0] : nil }, gapS: joules("gap"))
    }

    /// The figures of one job over all its attempts.
    static func figures(
        _ db: Database, where condition: String, _ arguments: StatementArguments
    ) throws -> EnergyFigures {
        let row = try Row.fetchOne(
            db, sql: "SELECT \(sums) FROM spans s WHERE \(condition) AND s.job_id > 0", arguments: arguments)
        return row.map(figures) ?? .init()
    }

    private static func condition(_ query: ReportQuery) -> (String, StatementArguments) {
        var text = "s.minute >= ? AND s.minute < ?"
        let minute = Int64(60_000_000)
        var arguments: StatementArguments = [
            query.since.microseconds / minute, (query.until.microseconds + minute - 1) / minute,
        ]
        if let job = query.job {
            text += " AND s.job_id = ?"
            arguments += [job.number]
        }
        if let user = query.user {
            text += " AND j.user = ?"
            arguments += [user]
        }
        return (text, arguments)
    }

    private static func key(_ grouping: ReportGrouping) -> String {
        switch grouping {
        case .user: "j.user"
        case .project: "j.project"
        case .job: "CAST(s.job_id AS TEXT)"
        case .queue: "j.queue"
        case .device: "d.name"
        case .day: "strftime('%Y-%m-%d', s.minute * 60, 'unixepoch')"
        case .month: "strftime('%Y-%m', s.minute * 60, 'unixepoch')"
        }
    }

    private static func describe(_ db: Database, _ report: inout EnergyReport.Row, job id: Int64) throws {
        guard
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT j.name, j.user, j.state, SUM(a.epochs) AS epochs, SUM(a.samples) AS samples
                    FROM jobs j LEFT JOIN attempts a ON a.job_id = j.id WHERE j.id = ?
                    """, arguments: [id])
        else { return }
        report.name = row["name"]
        report.user = row["user"]
        report.state = JobState(rawValue: row["state"])
        report.epochs = row["epochs"]
        report.samples = row["samples"]
        if let epochs = report.epochs, epochs > 0 {
            report.energyPerEpochJ = report.figures.energyJ / Double(epochs)
        }
        if let samples = report.samples, samples > 0 {
            report.energyPerSampleJ = report.figures.energyJ / Double(samples)
        }
    }

    /// Run time of the attempts per group, clipped to the period. An attempt that spans midnight counts on both days.
    private static func durations(_ db: Database, _ query: ReportQuery) throws -> [String: Double] {
        var condition = "a.started_us < ?2 AND COALESCE(a.ended_us, ?3) > ?1"
        let now = Timestamp.now().microseconds
        var arguments: StatementArguments = [query.since.microseconds, query.until.microseconds, now]
        if let job = query.job {
            condition += " AND j.id = ?4"
            arguments += [job.number]
        }
        if let user = query.user {
            condition += " AND j.user = \(query.job == nil ? "?4" : "?5")"
            arguments += [user]
        }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT j.id, j.user, j.project, j.queue, MAX(a.started_us, ?1) AS start,
                    MIN(COALESCE(a.ended_us, ?3), ?2) AS end
                FROM attempts a JOIN jobs j ON j.id = a.job_id WHERE \(condition)
                """, arguments: arguments)
        var result: [String: Double] = [:]
        for row in rows {
            let start: Int64 = row["start"]
            let end: Int64 = row["end"]
            switch query.by {
            case .user: result[row["user"], default: 0] += Double(end - start) / 1e6
            case .project: result[row["project"], default: 0] += Double(end - start) / 1e6
            case .queue: result[row["queue"], default: 0] += Double(end - start) / 1e6
            case .job: result["\(row["id"] as Int64)", default: 0] += Double(end - start) / 1e6
            case .device: result["total", default: 0] += Double(end - start) / 1e6
            case .day, .month:
                var position = start
                while position < end {
                    let day = Timestamp(microseconds: position)
                    let next = min((position / 86_400_000_000 + 1) * 86_400_000_000, end)
                    let key = query.by == .day ? day.day : String(day.day.prefix(7))
                    result[key, default: 0] += Double(next - position) / 1e6
                    position = next
                }
            }
        }
        return result
    }

    private static func balance(_ db: Database, _ query: ReportQuery) throws -> EnergyReport.Balance {
        let minute = Int64(60_000_000)
        let bounds: StatementArguments = [
            query.since.microseconds / minute, (query.until.microseconds + minute - 1) / minute,
        ]
        let metered = try Int64.fetchOne(
            db, sql: "SELECT SUM(metered_uj) FROM domain_minutes WHERE minute >= ? AND minute < ?", arguments: bounds)
        var parts: [String: Int64] = [:]
        for row in try Row.fetchAll(
            db,
            sql: """
                SELECT account, SUM(active_uj + idle_uj) AS uj FROM spans WHERE minute >= ? AND minute < ?
                GROUP BY account
                """, arguments: bounds)
        {
            parts[row["account"]] = row["uj"]
        }
        return .init(
            meteredUj: metered ?? 0, jobsUj: parts["job"] ?? 0, systemUj: parts["system"] ?? 0,
            mldUj: parts["mld"] ?? 0, idleUj: parts["idle"] ?? 0, gapUj: parts["gap"] ?? 0)
    }
}
