import GRDB
package import JobAPI
package import Units

/// What running a job at once would have been, frozen when it was submitted.
package struct Baseline: Sendable, Hashable {
    /// When it could have started: at once, or when there was room for it.
    package var start: Timestamp
    /// How long and at what power its likes run, as was known then; nil where nothing was.
    package var runSeconds: Double?
    package var watts: Double?

    package init(start: Timestamp, runSeconds: Double? = nil, watts: Double? = nil) {
        self.start = start
        self.runSeconds = runSeconds
        self.watts = watts
    }
}

extension Ledger {
    static func insertBaseline(_ db: Database, _ id: JobID, _ baseline: Baseline) throws {
        try db.cachedStatement(sql: "INSERT INTO baselines (job_id, start_us, run_s, power_w) VALUES (?, ?, ?, ?)")
            .execute(arguments: [id.number, baseline.start.microseconds, baseline.runSeconds, baseline.watts])
    }

    /// Prices what running the job at once would have caused, now that all of it is booked.
    ///
    /// Its own energy over its own run time, moved as it is to run without a break from the baseline's start, at the intensity
    /// that was in force then. Where the intensity was the same throughout, nothing was saved, whatever a job did.
    static func recordSavings(_ db: Database, _ id: JobID, at: Timestamp) throws {
        guard
            let frozen = try Int64.fetchOne(
                db, sql: "SELECT start_us FROM baselines WHERE job_id = ?", arguments: [id.number])
        else { return }
        let times = try RunningTimes(db, id)
        guard let begin = times.intervals.first?.from else { return }
        // Had it run at once it would not have begun later than it did.
        let start = min(frozen, begin)
        let intensities = try IntensitiesInForce(db, from: start, until: at.microseconds)
        guard let intensities else { return }
        var carbon: Int64 = 0
        var saved = 0.0
        for piece in SpanPeriod.all(try Frontiers(db)).pieces {
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT minute, active_uj, idle_uj, carbon_ug FROM \(piece.level.spans)
                    WHERE job_id = ? AND account = 'job' AND minute >= ? AND minute < ?
                    """, arguments: [id.number, piece.from, piece.until])
            while let row = try rows.next() {
                carbon = carbon.addingSaturating(row[3])
                guard !intensities.areConstant else { continue }
                let energy = Double((row[1] as Int64).addingSaturating(row[2]))
                let from = Timestamp(minute: row[0]).microseconds
                let until = from.addingSaturating(piece.level.minutes * 60_000_000)
                saved += times.saved(energy, from: from, until: until, baseline: start, intensities)
            }
        }
        let baseline = carbon.addingSaturating(Int64(saturating: saved.rounded()))
        try db.execute(
            sql:
                "INSERT OR IGNORE INTO savings (job_id, at_us, start_us, carbon_ug, baseline_ug) VALUES (?, ?, ?, ?, ?)",
            arguments: [id.number, at.microseconds, start, carbon, max(0, baseline)])
    }

    /// What was frozen of a job and, once it has ended, what came of it; nil for one of which nothing was. One that began sooner than
    /// was expected would have done so at once as well.
    package func savings(of id: JobID) async throws(LedgerError) -> Savings? {
        try await read("read the savings of job \(id)") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT coalesce(s.start_us, min(b.start_us, coalesce(
                            (SELECT min(started_us) FROM attempts WHERE job_id = b.job_id), b.start_us))) AS start_us,
                        b.run_s, b.power_w, s.carbon_ug, s.baseline_ug
                    FROM baselines b LEFT JOIN savings s ON s.job_id = b.job_id WHERE b.job_id = ?
                    """, arguments: [id.number]
            ).map { row in
                var savings = Savings(
                    baselineStart: Timestamp(microseconds: row["start_us"]), baselineRunS: row["run_s"],
                    baselinePowerW: row["power_w"])
                if let carbon = row["carbon_ug"] as Int64?, let baseline = row["baseline_ug"] as Int64? {
                    savings.baselineCarbonG = Double(baseline) / 1e6
                    savings.carbonSavedG = Double(baseline.subtractingSaturating(carbon)) / 1e6
                }
                return savings
            }
        }
    }

    /// µg saved by jobs that ended in the period, each once, at its end.
    static func eachSaving(
        _ db: Database, since: Int64, until: Int64, _ body: (_ job: Int64, _ at: Int64, _ saved: Int64) -> Void
    ) throws {
        let statement = try db.makeStatement(
            sql: "SELECT job_id, at_us, carbon_ug, baseline_ug FROM savings WHERE at_us >= ? AND at_us < ?")
        let rows = try Row.fetchCursor(statement, arguments: [since, until])
        let row = IntegerRow(statement)
        while try rows.next() != nil { body(row[0], row[1], row[3].subtractingSaturating(row[2])) }
    }
}
