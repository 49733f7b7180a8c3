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
    /// Rows of users are of each of their projects apart.
    var splitsProjects = false

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

/// What the jobs of one user in one project used.
package struct AccountUse: Hashable, Sendable {
    package var user: String
    package var project: String
    package var figures: EnergyFigures
}

extension Ledger {
    /// Adds up what each user used in each project.
    package func accountUse(
        from since: Timestamp, to until: Timestamp, basis: BillingBasis
    ) async throws(LedgerError) -> [AccountUse] {
        var query = ReportQuery(since: since, until: until, by: .user, basis: basis)
        query.splitsProjects = true
        return try await report(query).rows.compactMap { row in
            let names = row.key.split(separator: ReportGroups.between, omittingEmptySubsequences: false)
            guard names.count == 2 else { return nil }
            return AccountUse(user: String(names[0]), project: String(names[1]), figures: row.figures)
        }
    }

    /// Adds up the spans of whole minutes in `since ..< until`, jobs only; the balance shows the other accounts.
    ///
    /// A period is one of whole minutes, the first and last as a whole. Where the minutes or hours at an end of it are dropped, it
    /// reaches to the next whole hour or day and says so.
    package func report(_ query: ReportQuery) async throws(LedgerError) -> EnergyReport {
        try await read("make the report") { db in
            let period = SpanPeriod(
                from: query.since.minute, until: query.until.microseconds.addingSaturating(59_999_999) / 60_000_000,
                try Frontiers(db))
            var notes = Self.notes(period, query)
            var query = query
            // Energy and runs of the same time.
            (query.since, query.until) = Self.shown(period, query)
            var groups = try ReportGroups(db, query)
            let currency = try CurrencyInForce(db, until: query.until)
            let spans = try Self.spans(db, period, &groups, currency)
            let runs = try Self.runs(db, query, &groups)
            func isShown(_ group: Int32) -> Bool { group < spans.sums.count && spans.jobs[Int(group)] > 0 }
            let descriptions =
                query.by == .job
                ? try Self.descriptions(db, query) { groups.group(job: $0).map(isShown) ?? false } : [:]
            let rows = groups.inOrder.compactMap { group -> EnergyReport.Row? in
                guard isShown(group) else { return nil }
                let key = groups.name(group)
                var row =
                    Int64(key).flatMap { descriptions[$0] }
                    ?? EnergyReport.Row(key: key, jobs: 0, durationS: 0, figures: .init())
                (row.key, row.jobs) = (key, spans.jobs[Int(group)])
                row.figures = spans.sums[Int(group)].figures(query.basis, currency: currency?.code)
                // A device has no runs of its own: the same jobs ran on all of them.
                row.add(
                    query.by == .device ? RunTotals(seconds: runs.total.seconds) : runs.byGroup[group] ?? .init())
                return row
            }
            let total = spans.sums.reduce(into: SpanSums()) { $0.add($1) }
            var totals = EnergyReport.Row(
                key: "total", jobs: spans.total, durationS: 0,
                figures: total.figures(query.basis, currency: currency?.code))
            totals.add(runs.total)
            notes += Self.notes(currency, totals.figures, since: period.from)
            // All jobs' energy is added up by now, unless only some were asked for.
            let jobs = query.job == nil && query.user == nil ? total.microjoules : nil
            return EnergyReport(
                period: .init(since: query.since, until: query.until), by: query.by, rows: rows, totals: totals,
                balance: try Self.balance(db, period, jobs: jobs), notes: notes)
        }
    }

    /// The jobs' spans by group, how many jobs each group has, and how many there are in all.
    private static func spans(
        _ db: Database, _ period: SpanPeriod, _ groups: inout ReportGroups, _ currency: CurrencyInForce?
    ) throws -> (sums: [SpanSums], jobs: [Int], total: Int) {
        struct Pair: Hashable {
            var job: Int64
            var group: Int32
        }
        var sums: [SpanSums] = []
        var jobs: [Int] = []
        var seen: Set<Pair> = []
        var total = 0
        // A job's rows mostly follow one another by domain and time, in groups that hardly change.
        var last = groups.noJobs
        let priced = currency?.from ?? .max
        let statement = try db.makeStatement(
            sql: "SELECT minute, job_id, \(SpanSums.columns) FROM \(period.spans(where: "account = 'job'"))")
        let rows = try Row.fetchCursor(statement)
        let row = IntegerRow(statement)
        while try rows.next() != nil {
            let job = row[1]
            guard let group = groups.group(job: job, domain: row[2], minute: row[0]) else { continue }
            while sums.count <= group {
                sums.append(SpanSums())
                jobs.append(0)
            }
            sums[Int(group)].add(row, from: 2, isOfCurrency: row[0] >= priced)
            let before = last[job]
            guard before != group else { continue }
            last[job] = group
            if before == nil { total += 1 }
            if groups.areOfJobs || seen.insert(Pair(job: job, group: group)).inserted { jobs[Int(group)] += 1 }
        }
        return (sums, jobs, total)
    }

    /// The time that is really covered. A minute that is not over yet ends when it was asked.
    private static func shown(_ period: SpanPeriod, _ query: ReportQuery) -> (since: Timestamp, until: Timestamp) {
        let isGoingOn = query.until.minute >= Timestamp.now().minute
        return (Timestamp(minute: period.from), isGoingOn ? query.until : Timestamp(minute: period.until))
    }

    private static func notes(_ period: SpanPeriod, _ query: ReportQuery) -> [String] {
        var notes: [String] = []
        if period.from < query.since.minute || Timestamp(minute: period.until - 1) >= query.until {
            notes.append("the minutes of so long ago are added up: the period is that of whole hours or days")
        }
        if query.basis == .marginal {
            notes.append("marginal basis: without the idle power of what was reserved, which counts as idle")
        }
        return notes
    }

    /// What the money leaves out.
    private static func notes(_ currency: CurrencyInForce?, _ figures: EnergyFigures, since: Minute) -> [String] {
        guard let currency else { return [] }
        var notes: [String] = []
        if let unpriced = figures.unpricedJ {
            notes.append(
                "cost: no price was known for \(Energy(joules: unpriced)), which it leaves out")
        }
        if currency.from > since, figures.cost != nil {
            notes.append(
                "cost: in \(currency.code) since \(Timestamp(minute: currency.from)); it leaves out what was before")
        }
        return notes
    }

    /// From the first minute that was metered to `now`; or to the last that was, where a clock that was ahead left some beyond.
    package func history(now: Timestamp) async throws(LedgerError) -> (since: Timestamp, until: Timestamp) {
        let ends = try await read("find the first reading") { db in
            // Each end by a query of its own: SQLite finds one in the key, but scans all rows for both together.
            let all = SpanLevel.allCases.map { level in
                "SELECT (SELECT MIN(minute) FROM \(level.domains)) AS first, (SELECT MAX(minute) FROM \(level.domains)) AS last"
            }
            return try Row.fetchOne(
                db, sql: "SELECT MIN(first), MAX(last) FROM (\(all.joined(separator: " UNION ALL ")))"
            ).map { (first: $0[0] as Minute?, last: $0[1] as Minute?) }
        }
        let last = ends?.last.map { Timestamp(minute: $0.addingSaturating(1)) }
        let isAhead = last.map { $0.minute > now.minute + 1 } ?? false
        return (ends?.first.map(Timestamp.init(minute:)) ?? now, isAhead ? last ?? now : now)
    }

    /// The figures of one job over all its attempts.
    static func figures(_ db: Database, of job: Int64, _ frontiers: Frontiers) throws -> EnergyFigures {
        let spans = SpanPeriod.all(frontiers).spans(where: "job_id = ?1 AND account = 'job'")
        let currency = try CurrencyInForce(db)
        let priced = currency?.from ?? .max
        let statement = try db.cachedStatement(sql: "SELECT minute, \(SpanSums.columns) FROM \(spans)")
        let rows = try Row.fetchCursor(statement, arguments: [job])
        let row = IntegerRow(statement)
        var sums = SpanSums()
        while try rows.next() != nil { sums.add(row, from: 1, isOfCurrency: row[0] >= priced) }
        return sums.figures(currency: currency?.code)
    }

    /// What is known of the jobs themselves, by number: all in one go, for there may be many.
    /// - Parameter isShown: whether a job has a row.
    private static func descriptions(
        _ db: Database, _ query: ReportQuery, where isShown: (Int64) -> Bool
    ) throws -> [Int64: EnergyReport.Row] {
        var condition = "1"
        var arguments: StatementArguments = [query.since.microseconds, query.until.microseconds]
        if let job = query.job {
            condition = "j.id = ?3"
            arguments += [job.number]
        }
        var found: [Int64: EnergyReport.Row] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT j.id, j.name, j.user, j.state, SUM(a.epochs), SUM(a.samples),
                    MIN(a.started_us) >= ?1 AND MAX(COALESCE(a.ended_us, ?2)) <= ?2
                FROM jobs j LEFT JOIN attempts a ON a.job_id = j.id WHERE \(condition) GROUP BY j.id
                """, arguments: arguments)
        while let row = try rows.next() {
            guard isShown(row[0]) else { continue }
            var report = EnergyReport.Row(key: "", jobs: 1, durationS: 0, figures: .init())
            report.name = row[1]
            report.user = row[2]
            report.state = JobState(rawValue: row[3])
            // Nobody knows how many epochs lie in a part of a run.
            if row[6] as Bool? == true {
                report.epochs = row[4]
                report.samples = row[5]
            }
            found[row[0]] = report
        }
        return found
    }

    /// - Parameter jobs: the energy of all jobs, where it is known already.
    private static func balance(
        _ db: Database, _ period: SpanPeriod, jobs: Int64?
    ) throws -> EnergyReport.Balance {
        // Not with SQL's SUM, which fails on edited figures that are too large.
        var metered: Int64 = 0
        let domains = try Row.fetchCursor(db, sql: "SELECT metered_uj FROM \(period.domains())")
        while let row = try domains.next() { metered = metered.addingSaturating(row[0]) }
        var parts: [String: Int64] = [:]
        // What is no job's has the number 0, by which the index finds it.
        let spans = period.spans(where: jobs == nil ? "1" : "job_id = 0")
        let rows = try Row.fetchCursor(db, sql: "SELECT account, active_uj, idle_uj FROM \(spans)")
        while let row = try rows.next() {
            let energy = (row[1] as Int64).addingSaturating(row[2])
            parts[row[0], default: 0] = parts[row[0], default: 0].addingSaturating(energy)
        }
        return .init(
            meteredUj: metered, jobsUj: jobs ?? parts["job"] ?? 0, systemUj: parts["system"] ?? 0,
            mldUj: parts["mld"] ?? 0, idleUj: parts["idle"] ?? 0, gapUj: parts["gap"] ?? 0)
    }
}
