import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// Whatever is edited by hand, the audit says which row.
@Suite struct AuditTests {
    /// Two days and a half, closed, of which the first day's minutes and hours are dropped.
    private func closed(_ seed: UInt64 = 2) async throws -> Books {
        let books = try await Books(seed: seed, days: 2.5, every: 5400)
        for id in books.jobs {
            _ = try await books.ledger.beginAttempt(id, bootID: "b", at: Books.day(0))
            try await books.ledger.recordProcess(
                id, attempt: 1, pid: 7, startTime: 99, cgroup: nil, enforced: [], at: Books.day(0))
            try await books.ledger.transition(id, to: .succeeded, cause: "done", at: Books.day(2))
        }
        try await books.close(keepMinutes: .seconds(2 * 86_400), keepHours: .seconds(2 * 86_400))
        return books
    }

    @Test func whatMldWroteIsFound() async throws {
        let books = try await closed()
        let audit = try await books.audit()
        #expect(audit.ok && audit.findings == [])
        #expect(audit.unsealedRows == 0)
        for table in SealedTable.allCases where table != .siteFactors {
            #expect(audit.rows[table.rawValue, default: 0] > 0, "\(table)")
        }
        #expect(audit.head.count == 64)
        let entries = try await books.count("chain")
        #expect(audit.entries == entries)
    }

    /// The last row of each table, changed in one column; the finding must name that very row.
    @Test(arguments: [
        ("spans", "active_uj = active_uj + 1"), ("spans", "carbon_ug = carbon_ug + 1"), ("spans", "tier = 'gap'"),
        ("spans", "low_uj = low_uj - 1"), ("spans", "water_ul = 0"), ("domain_minutes", "metered_uj = metered_uj + 1"),
        ("span_hours", "active_uj = active_uj - 1"), ("span_days", "idle_uj = idle_uj + 1"),
        ("domain_hours", "gap_us = 5"), ("domain_days", "high_uj = high_uj + 1"), ("jobs", "user = 'eve'"),
        ("jobs", "project = 'other'"), ("transitions", "cause = 'because'"), ("transitions", "at_us = at_us + 1"),
        ("decisions", "reason = 'because'"), ("attempts", "epochs = 1000000"), ("attempts", "waste_uj = 1"),
        ("jobs", "queue = 'other'"), ("jobs", "priority = 99"), ("jobs", "user = user || char(0) || 'x'"),
        ("domains", "name = 'package-7'"), ("spans", "active_carbon_ug = 0"), ("spans", "active_water_ul = 0"),
        ("policies", "text = 'everything goes'"), ("intensities", "g_per_kwh = 20"),
        ("baselines", "start_us = start_us + 1"), ("baselines", "run_s = 1"),
        ("savings", "baseline_ug = baseline_ug + 9"),
    ])
    func anEditedRowIsNamed(table: String, change: String) async throws {
        let books = try await closed()
        let key =
            switch table {
            case "spans", "span_hours", "span_days": ["minute", "domain_id", "account", "job_id", "attempt"]
            case "domain_minutes", "domain_hours", "domain_days": ["minute", "domain_id"]
            case "attempts": ["job_id", "number"]
            case "baselines": ["job_id"]
            case "policies": ["applied_us"]
            case "intensities": ["from_us"]
            default: ["id"]
            }
        let columns = key.joined(separator: ", ")
        let descending = key.map { $0 + " DESC" }.joined(separator: ", ")
        let row = try await books.row("SELECT \(columns) FROM \(table) ORDER BY \(descending) LIMIT 1")
        let conditions = row.map { "\($0.name) = '\($0.value)'" }.joined(separator: " AND ")
        try await books.edit("UPDATE \(table) SET \(change) WHERE \(conditions)")
        let audit = try await books.audit()
        #expect(!audit.ok)
        let name = ([table] + row.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
        #expect(audit.findings.first?.row == name)
        #expect(audit.findings.first?.problem == "it is not what mld wrote")
    }

    @Test func theFirstOfSeveralIsNamed() async throws {
        let books = try await closed()
        let minutes = try await books.ledger.pool.read { db in
            try Int64.fetchAll(db, sql: "SELECT DISTINCT minute FROM spans ORDER BY minute")
        }
        let (early, late) = (minutes[3], minutes[minutes.count - 2])
        try await books.edit("UPDATE spans SET active_uj = active_uj + 7 WHERE minute IN (\(early), \(late))")
        let audit = try await books.audit()
        #expect(audit.findings.first?.row.hasPrefix("spans minute=\(early) domain_id=1 ") == true)
        // 7 µJ are too few to be seen in the carbon.
        #expect(audit.findings.map(\.check) == ["chain", "conservation", "roll-up"])
    }

    @Test func deletedAndAddedRowsAreNoticed() async throws {
        let books = try await closed()
        let row =
            "(minute, domain_id, account) IN (SELECT minute, domain_id, account FROM spans ORDER BY 1 DESC, 2, 3 LIMIT 1)"
        try await books.edit("CREATE TABLE kept AS SELECT * FROM spans WHERE \(row); DELETE FROM spans WHERE \(row)")
        #expect(try await books.audit().findings.first?.problem.contains("deleted") == true)
        try await books.edit("INSERT INTO spans SELECT * FROM kept; DROP TABLE kept")
        #expect(try await books.audit().findings == [])
        try await books.edit(
            "INSERT INTO spans SELECT minute, domain_id, 'job', 99, 1, 0, 0, 0, 0, 0, 0, 0, 0, tier, 0, 0, 0, NULL, NULL, NULL, NULL FROM spans WHERE \(row) LIMIT 1"
        )
        let finding = try #require(await books.audit().findings.first)
        #expect(finding.row.hasSuffix("account=job job_id=99 attempt=1") && finding.problem == "it was added")
    }

    @Test func aRowInAMinuteThatHadNoneIsNoticed() async throws {
        let books = try await closed()
        let minute =
            try #require(await books.number("SELECT MAX(minute) FROM spans")) + 2
        try await books.edit(
            """
            INSERT INTO spans VALUES (\(minute), 1, 'job', 1, 1, 5, 0, 5, 5, 0, 0, 0, 0, 'measured', 0, 0, 0, NULL, NULL, NULL, NULL);
            INSERT INTO domain_minutes VALUES (\(minute), 1, 5, 5, 5, 1000000, 0, 'measured')
            """)
        #expect(
            try await books.audit().findings.first?.row
                == "spans minute=\(minute) domain_id=1 account=job job_id=1 attempt=1")
        #expect(try await books.audit().findings.first?.problem == "it was added")
    }

    /// Someone who also recomputes the row's fingerprint is caught by the entry's hash, and with that by the next one's.
    @Test func theChainItselfIsChecked() async throws {
        for change in [
            "UPDATE chain SET note = 'policy other' WHERE seq = 1", "DELETE FROM chain WHERE seq = 5",
            "UPDATE chain SET hash = zeroblob(32) WHERE seq = 6", "UPDATE chain SET last = last + 1 WHERE seq = 7",
            "UPDATE chain SET rows = rows - 1 WHERE source = 'spans'",
            "UPDATE chain SET digest = zeroblob(32)", "DELETE FROM chain_checks; UPDATE spans SET low_uj = 0",
        ] {
            let books = try await closed()
            try await books.edit(change)
            #expect(try await !books.audit().ok, "\(change)")
        }
    }

    @Test func hostileNumbersDoNotStopTheAudit() async throws {
        let books = try await closed()
        try await books.edit(
            """
            UPDATE spans SET active_uj = 9223372036854775807, idle_uj = 9223372036854775807;
            UPDATE chain SET first = -9223372036854775808, last = 9223372036854775807 WHERE source = 'spans'
            """)
        let audit = try await books.audit()
        #expect(audit.findings.contains { $0.check == "chain" })
        #expect(audit.findings.contains { $0.problem.hasPrefix("cannot be computed") })
    }

    @Test func carbonIsRecomputedFromTheIntensities() async throws {
        let books = try await Books(seed: 3, days: 0.1)
        let found = try await books.audit().findings
        #expect(found == [])
        // Not sealed yet: only the price can tell.
        try await books.edit("UPDATE spans SET carbon_ug = carbon_ug / 2, active_carbon_ug = 0 WHERE account = 'job'")
        let finding = try #require(await books.audit().findings.first)
        #expect(finding.check == "carbon" && finding.problem.contains("its energy priced is"))
    }

    /// By which tables and policy the figures were made.
    @Test func theContextIsInTheChain() async throws {
        let books = try await closed()
        let notes = try await books.ledger.pool.read { db in
            try String.fetchAll(db, sql: "SELECT note FROM chain WHERE source = 'context'")
        }
        #expect(notes == ["policy abc; factors a table; mld 1"])
    }
}
