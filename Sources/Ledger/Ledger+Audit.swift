import GRDB
package import JobAPI
package import Units

extension Ledger {
    /// Recomputes everything: every row against the chain, every entry against the one before, the parts of every minute
    /// against the meter, hours and days against what they were added up from, and carbon against the intensities in force.
    ///
    /// Reads one snapshot; writers go on meanwhile.
    package func audit(now: Timestamp) async throws(LedgerError) -> AuditReport {
        try await read("audit") { db in try Self.audit(db, now: now) }
    }

    static func audit(_ db: Database, now: Timestamp) throws -> AuditReport {
        let frontiers = try Frontiers(db)
        var chain = ChainAudit()
        try chain.run(db)
        let checks: [(name: String, run: () throws -> AuditReport.Finding?)] = [
            ("frontiers", { try FrontierAudit.check(db, now: now) }),
            ("conservation", { try Self.conservation(db) }), ("roll-up", { try Self.rollUps(db, frontiers) }),
            ("range", { try Self.ranges(db) }), ("carbon", { try Self.carbon(db) }),
            ("policy", { try Self.policies(db) }), ("state", { try Self.states(db) }),
            ("savings", { try Self.savings(db) }),
        ]
        let findings =
            chain.findings
            + checks.compactMap { check in
                // Edited figures may be too large to add up: that is a finding, not an end of the audit.
                do { return try check.run() } catch {
                    return AuditReport.Finding(check: check.name, row: "-", problem: "cannot be computed: \(error)")
                }
            }
        let unsealed = try Int.fetchOne(
            db, sql: "SELECT COUNT(*) FROM spans WHERE minute >= ?", arguments: [frontiers.sealed])
        return AuditReport(
            findings: findings, rows: chain.rows, entries: chain.entries, head: SHA256.hex(of: chain.head),
            unsealedRows: unsealed ?? 0, at: now)
    }

    /// Every microjoule that was metered is somebody's: at each length, in each domain.
    private static func conservation(_ db: Database) throws -> AuditReport.Finding? {
        for level in SpanLevel.allCases {
            // From both sides: a meter's row without shares, and shares without a meter's row.
            let query = """
                SELECT minute, domain_id, SUM(metered) AS metered, SUM(booked) AS booked FROM (
                    SELECT minute, domain_id, metered_uj AS metered, 0 AS booked FROM \(level.domains)
                    UNION ALL SELECT minute, domain_id, 0, active_uj + idle_uj FROM \(level.spans))
                GROUP BY minute, domain_id HAVING SUM(metered) <> SUM(booked) ORDER BY minute, domain_id LIMIT 1
                """
            if let row = try Row.fetchOne(db, sql: query) {
                return finding(
                    "conservation", level.domains, row, columns: 2,
                    "metered \(shown(row["metered"])) µJ, booked \(shown(row["booked"])) µJ")
            }
        }
        return nil
    }

    /// Hours and days are the sums of what they were added up from, where that is still there.
    private static func rollUps(_ db: Database, _ frontiers: Frontiers) throws -> AuditReport.Finding? {
        for (level, finer, from, until) in [
            (SpanLevel.hour, SpanLevel.minute, frontiers.minutesKept, frontiers.hours),
            (.day, .hour, frontiers.hoursKept, frontiers.days),
        ] {
            for (to, of, key, sums) in [
                (level.spans, finer.spans, SpanLevel.spanKey, SpanLevel.spanSums),
                (level.domains, finer.domains, SpanLevel.domainKey, SpanLevel.domainSums),
            ] {
                // The first whole length after what was dropped.
                let first = from.ceiled(to: level.minutes)
                let columns = (key + sums + ["tier"]).joined(separator: ", ")
                let made = grouped(of, key: key, sums: sums, length: level.minutes)
                let kept = "SELECT \(columns) FROM \(to) WHERE minute >= ?1 AND minute < ?2"
                for (left, right, problem) in [
                    (kept, made, "is not the sum of its \(finer)s"),
                    (made, kept, "has not the sum of its \(finer)s"),
                ] {
                    let query =
                        "SELECT * FROM (\(left)) EXCEPT SELECT * FROM (\(right)) ORDER BY 1, 2, 3 LIMIT 1"
                    if let row = try Row.fetchOne(db, sql: query, arguments: [first, until]) {
                        return finding("roll-up", to, row, columns: key.count, problem)
                    }
                }
            }
        }
        return nil
    }

    /// No figure is negative, and each lies in its own range.
    private static func ranges(_ db: Database) throws -> AuditReport.Finding? {
        for level in SpanLevel.allCases {
            let spans = """
                SELECT * FROM \(level.spans) WHERE active_uj < 0 OR idle_uj < 0 OR low_uj < 0 OR gap_us < 0
                    OR low_uj > active_uj + idle_uj OR high_uj < active_uj + idle_uj
                    OR carbon_low_ug < 0 OR carbon_low_ug > carbon_ug OR carbon_high_ug < carbon_ug
                    OR active_carbon_ug < 0 OR active_carbon_ug > carbon_ug
                    OR active_water_ul < 0 OR active_water_ul > water_ul ORDER BY minute LIMIT 1
                """
            let domains = """
                SELECT * FROM \(level.domains) WHERE low_uj < 0 OR low_uj > metered_uj OR high_uj < metered_uj
                    OR metered_us < 0 OR gap_us < 0 ORDER BY minute LIMIT 1
                """
            for (table, query, columns) in [(level.spans, spans, 5), (level.domains, domains, 2)] {
                if let row = try Row.fetchOne(db, sql: query) {
                    return finding("range", table, row, columns: columns, "a figure is negative or outside its range")
                }
            }
        }
        return nil
    }

    /// Carbon is the energy priced with an intensity that was in force. Each interval is rounded to whole micrograms, so the sum over
    /// a minute may differ by as many as it had intervals; 1 mg and a thousandth allow for two thousand of them.
    ///
    /// Where the clock was set, a minute may also hold energy of other times: of an earlier one whose minute was sealed, or of one
    /// that was priced with an intensity which was noted as later than it was (``later(_:than:)``). So carbon is held to lie
    /// between what the lowest and the highest of these intensities give. What is sealed cannot be moved within that either.
    private static func carbon(_ db: Database) throws -> AuditReport.Finding? {
        let rows = try Row.fetchAll(db, sql: "SELECT from_us, g_per_kwh, pue FROM intensities ORDER BY from_us")
        let periods = rows.map { row in
            (from: row["from_us"] as Int64, factor: (row["g_per_kwh"] as Double) * (row["pue"] as Double) / 3.6e6)
        }
        let late = zip(periods, periods.dropFirst()).filter { $1.from == $0.from.addingSaturating(1) }.map(\.1)
        // With a grid that changes there are tens of thousands, most of them of minutes that are dropped.
        guard let first = try Int64.fetchOne(db, sql: "SELECT MIN(minute) FROM spans") else { return nil }
        var least = late.map(\.factor).min() ?? .infinity
        var most = late.map(\.factor).max() ?? 0
        for (index, period) in periods.enumerated() {
            least = min(least, period.factor)
            most = max(most, period.factor)
            // The minute in which it came into force holds energy of both.
            let from = Timestamp(microseconds: period.from).minute
            let until =
                index + 1 < periods.count ? Timestamp(microseconds: periods[index + 1].from).minute : 1 << 50
            guard from < until, until > first else { continue }
            let query = """
                SELECT *, (active_uj + idle_uj) * ?3 AS priced FROM spans WHERE minute >= ?1 AND minute < ?2 AND (
                    carbon_ug < 0.999 * (active_uj + idle_uj) * ?4 - 1000
                    OR carbon_ug > 1.001 * (active_uj + idle_uj) * ?5 + 1000) ORDER BY minute LIMIT 1
                """
            let arguments: StatementArguments = [from, until, period.factor, least, most]
            if let row = try Row.fetchOne(db, sql: query, arguments: arguments) {
                return finding(
                    "carbon", "spans", row, columns: 5,
                    "\(row["carbon_ug"] as Int64) µg, but its energy priced is \(Int64(saturating: row["priced"])) µg")
            }
        }
        return nil
    }

    /// Every job is in the state to which its last transition brought it.
    private static func states(_ db: Database) throws -> AuditReport.Finding? {
        let query = """
            SELECT j.id, j.state, t.to_state FROM jobs j
                JOIN (SELECT job_id, to_state, MAX(id) FROM transitions GROUP BY job_id) t ON t.job_id = j.id
            WHERE j.state <> t.to_state ORDER BY j.id LIMIT 1
            """
        return try Row.fetchOne(db, sql: query).map { row in
            finding(
                "state", "jobs", row, columns: 1,
                "it is \(row["state"] as String), but its last transition was to \(row["to_state"] as String)")
        }
    }

    /// Nothing is said to be saved but against what was frozen before, and from no later start.
    private static func savings(_ db: Database) throws -> AuditReport.Finding? {
        let query = """
            SELECT s.id FROM savings s LEFT JOIN baselines b ON b.job_id = s.job_id
            WHERE b.job_id IS NULL OR s.start_us > b.start_us OR s.carbon_ug < 0 OR s.baseline_ug < 0 ORDER BY s.id LIMIT 1
            """
        return try Row.fetchOne(db, sql: query).map { row in
            finding("savings", "savings", row, columns: 1, "it does not follow from what was frozen at submission")
        }
    }

    /// Every job was admitted under a policy that is kept.
    private static func policies(_ db: Database) throws -> AuditReport.Finding? {
        let query = """
            SELECT id, policy_hash FROM jobs WHERE policy_hash NOT IN (SELECT hash FROM policies) ORDER BY id LIMIT 1
            """
        return try Row.fetchOne(db, sql: query).map { row in
            finding("policy", "jobs", row, columns: 1, "its policy \(row["policy_hash"] as String) is not kept")
        }
    }

    /// A sum of edited figures may be any number, or none.
    private static func shown(_ value: DatabaseValue) -> String { "\(value.storage.value ?? "null")" }

    static func finding(
        _ check: String, _ table: String, _ row: Row, columns: Int, _ problem: String
    ) -> AuditReport.Finding {
        AuditReport.Finding(check: check, row: describe(table, row, columns: columns), problem: problem)
    }

    /// `spans minute=28400000 domain_id=1 account=job job_id=7 attempt=1`.
    static func describe(_ table: String, _ row: Row, columns: Int) -> String {
        let key = row.prefix(columns).map { name, value in
            "\(name)=" + String(decoding: shown(value).utf8.prefix(80), as: UTF8.self)
        }
        return ([table] + key).joined(separator: " ")
    }
}
