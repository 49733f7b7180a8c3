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
    package var basis: BillingBasis

    package init(
        since: Timestamp, until: Timestamp, by: ReportGrouping, job: JobID? = nil, user: String? = nil,
        basis: BillingBasis = .full
    ) {
        self.since = since
        self.until = until
        self.by = by
        self.job = job
        self.user = user
        self.basis = basis
    }
}

extension Ledger {
    /// Adds up the spans of whole minutes in `since ..< until`, jobs only; the balance shows the other accounts.
    ///
    /// Where the minutes or hours at an end of the period are dropped, it reaches to the next whole hour or day and says so.
    package func report(_ query: ReportQuery) async throws(LedgerError) -> EnergyReport {
        try await read("make the report") { db in
            let period = SpanPeriod(
                from: query.since.minute, until: (query.until.microseconds + 59_999_999) / 60_000_000,
                try Frontiers(db))
            let (condition, arguments) = Self.condition(query)
            let key = Self.key(query.by)
            let spans = period.spans(where: "account = 'job'")
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(key) AS key, COUNT(DISTINCT s.job_id) AS jobs, \(Self.sums)
                    FROM \(spans) s JOIN jobs j ON j.id = s.job_id LEFT JOIN domains d ON d.id = s.domain_id
                    WHERE \(condition) GROUP BY key ORDER BY \(query.by == .job ? "s.job_id" : "key")
                    """, arguments: arguments)
            let runs = try Self.runs(db, query)
            let reportRows = try rows.map { row -> EnergyReport.Row in
                let key: String = row["key"]
                var report = EnergyReport.Row(
                    key: key, jobs: row["jobs"], durationS: 0, figures: Self.figures(row, query.basis))
                if query.by == .job, let id = Int64(key) { try Self.describe(db, &report, job: id) }
                // A device has no runs of its own: the same jobs ran on all of them.
                report.add(query.by == .device ? RunTotals(seconds: runs.total.seconds) : runs.groups[key] ?? .init())
                return report
            }
            let total =
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT COUNT(DISTINCT s.job_id) AS jobs, \(Self.sums)
                        FROM \(spans) s JOIN jobs j ON j.id = s.job_id WHERE \(condition)
                        """, arguments: arguments)
            var totals = EnergyReport.Row(
                key: "total", jobs: total?["jobs"] ?? 0, durationS: 0,
                figures: total.map { Self.figures($0, query.basis) } ?? .init())
            totals.add(runs.total)
            return EnergyReport(
                period: Self.shown(period, query), by: query.by, rows: reportRows, totals: totals,
                balance: try Self.balance(db, period), notes: Self.notes(period, query))
        }
    }

    /// The period as it was asked for, unless it had to be widened.
    private static func shown(_ period: SpanPeriod, _ query: ReportQuery) -> EnergyReport.Period {
        EnergyReport.Period(
            since: period.from == query.since.minute
                ? query.since : Timestamp(microseconds: period.from * 60_000_000),
            until: period.until * 60_000_000 <= query.until.microseconds + 59_999_999
                ? query.until : Timestamp(microseconds: period.until * 60_000_000))
    }

    private static func notes(_ period: SpanPeriod, _ query: ReportQuery) -> [String] {
        let shown = shown(period, query)
        var notes: [String] = []
        if shown.since != query.since || shown.until != query.until {
            notes.append("the minutes of so long ago are added up: the period is that of whole hours or days")
        }
        if query.basis == .marginal {
            notes.append("marginal basis: without the idle power of what was reserved, which counts as idle")
        }
        return notes
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
        SUM(s.gap_us) / MAX(COUNT(DISTINCT s.domain_id), 1) AS gap, MAX(\(rank("s.tier"))) AS tier,
        SUM(s.water_ul) AS water, SUM(CASE WHEN s.active_uj > 0
            THEN s.carbon_ug * (CAST(s.active_uj AS REAL) / (s.active_uj + s.idle_uj)) ELSE 0 END) AS active_carbon
        """

    static func figures(_ row: Row, _ basis: BillingBasis = .full) -> EnergyFigures {
        let joules = { (key: String) -> Double in Double((row[key] as Int64?) ?? 0) / 1e6 }
        let tiers: [Tier] = [.gap, .measured, .calibrated, .table]
        let tier: Int? = row["tier"]
        var figures = EnergyFigures(
            energyJ: Double(((row["active"] as Int64?) ?? 0) + ((row["idle"] as Int64?) ?? 0)) / 1e6,
            energyLowJ: joules("low"), energyHighJ: joules("high"),
            activeJ: joules("active"), reservedIdleJ: joules("idle"), carbonG: joules("carbon"),
            carbonLowG: joules("carbon_low"), carbonHighG: joules("carbon_high"),
            tier: tier.flatMap { tiers.indices.contains($0) ? tiers[$0] : nil }, gapS: joules("gap"))
        if let water = row["water"] as Int64?, water > 0 { figures.waterL = Double(water) / 1e6 }
        guard basis == .marginal else { return figures }
        // The carbon of a span is that of its energy, so its active part goes with the active energy.
        let carbon = ((row["active_carbon"] as Double?) ?? 0) / 1e6
        let fraction = figures.energyJ > 0 ? figures.activeJ / figures.energyJ : 0
        figures.carbonLowG = min(carbon, figures.carbonLowG * fraction)
        figures.carbonHighG = max(carbon, figures.carbonHighG * fraction)
        figures.carbonG = carbon
        figures.waterL = figures.waterL.map { $0 * fraction }
        figures.energyJ = figures.activeJ
        figures.energyLowJ = min(figures.activeJ, max(0, figures.energyLowJ - figures.reservedIdleJ))
        figures.energyHighJ = max(figures.activeJ, figures.energyHighJ - figures.reservedIdleJ)
        return figures
    }

    /// The figures of one job over all its attempts.
    static func figures(_ db: Database, of job: Int64, _ frontiers: Frontiers) throws -> EnergyFigures {
        let spans = SpanPeriod.all(frontiers).spans(where: "job_id = ?1 AND account = 'job'")
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT \(sums) FROM \(spans) s"), arguments: [job])
        return row.map { figures($0) } ?? .init()
    }

    private static func condition(_ query: ReportQuery) -> (String, StatementArguments) {
        var text = "1"
        var arguments = StatementArguments()
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

    private static func balance(_ db: Database, _ period: SpanPeriod) throws -> EnergyReport.Balance {
        let metered = try Int64.fetchOne(db, sql: "SELECT SUM(metered_uj) FROM \(period.domains())")
        var parts: [String: Int64] = [:]
        for row in try Row.fetchAll(
            db, sql: "SELECT account, SUM(active_uj + idle_uj) AS uj FROM \(period.spans()) GROUP BY account")
        {
            parts[row["account"]] = row["uj"]
        }
        return .init(
            meteredUj: metered ?? 0, jobsUj: parts["job"] ?? 0, systemUj: parts["system"] ?? 0,
            mldUj: parts["mld"] ?? 0, idleUj: parts["idle"] ?? 0, gapUj: parts["gap"] ?? 0)
    }
}
