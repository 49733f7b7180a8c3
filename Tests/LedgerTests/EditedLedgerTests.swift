import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// Edits that go around the sealed rows, and numbers that must not stop the daemon.
@Suite struct EditedLedgerTests {
    private func closed() async throws -> Books {
        let books = try await Books(seed: 2, days: 2.5, every: 5400)
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        return books
    }

    /// The frontiers say which rows count and which may be gone.
    @Test(arguments: [
        "UPDATE frontiers SET value = 1 << 40 WHERE name IN ('minutes-kept', 'hours-kept')",
        "UPDATE frontiers SET value = (SELECT value FROM frontiers WHERE name = 'hours') WHERE name = 'minutes-kept'",
        "UPDATE frontiers SET value = 0 WHERE name IN ('hours', 'days')",
        "UPDATE frontiers SET value = 28800000 WHERE name <> 'sealed'",
        "UPDATE frontiers SET value = 2880000000",
        "UPDATE frontiers SET value = value - 60 WHERE name = 'sealed'",
        "UPDATE frontiers SET value = value + 1 WHERE name = 'hours-kept'",
        "DELETE FROM chain; DELETE FROM chain_checks; DELETE FROM frontiers",
        "DELETE FROM frontiers",
    ])
    func movedFrontiersAreNoticed(edit: String) async throws {
        let books = try await closed()
        #expect(try await books.audit().findings == [])
        try await books.edit(edit)
        #expect(try await !books.audit().findings.isEmpty)
    }

    /// A job that went back to the queue and was cancelled there: its attempt is sealed all the same.
    @Test func theAttemptOfARequeuedJobIsSealed() async throws {
        let books = try await Books(seed: 2, days: 0.1)
        let (ledger, id) = (books.ledger, books.jobs[0])
        _ = try await ledger.beginAttempt(id, bootID: "b", at: Books.day(0))
        try await ledger.transition(id, to: .queued, cause: "mld was gone", at: Books.day(0.05))
        try await ledger.transition(id, to: .cancelled, cause: "cancelled", at: Books.day(0.06))
        try await books.close(day: 1)
        #expect(try await books.audit().findings == [])
        try await books.edit("UPDATE attempts SET waste_uj = 999000000")
        #expect(try await books.audit().findings.first?.row == "attempts job_id=\(id) number=1")
    }

    @Test func aStateThatNoTransitionShowsIsNamed() async throws {
        let books = try await closed()
        try await books.edit("UPDATE jobs SET state = 'succeeded' WHERE id = 2")
        let finding = try #require(await books.audit().findings.first)
        #expect(finding.check == "state" && finding.row == "jobs id=2")
    }

    @Test(arguments: [
        "UPDATE domain_minutes SET low_uj = -1", "UPDATE domain_minutes SET high_uj = metered_uj - 1",
        "UPDATE domain_minutes SET gap_us = -3", "UPDATE spans SET water_ul = -77, active_water_ul = -77",
        "UPDATE spans SET carbon_ug = -4, carbon_low_ug = -4, active_carbon_ug = -4",
        "UPDATE spans SET active_carbon_ug = carbon_ug + 1", "UPDATE domain_minutes SET metered_us = -1",
    ])
    func figuresOutsideTheirRangeAreNamed(edit: String) async throws {
        // Not sealed: only the figures themselves can tell.
        let books = try await Books(seed: 3, days: 0.1)
        #expect(try await books.audit().findings == [])
        try await books.edit(edit)
        #expect(try await books.audit().findings.contains { $0.check == "range" })
    }

    /// An intensity that was written while the clock was ahead, and one after it was right again.
    @Test func aClockThatWasAheadIsNoEdit() async throws {
        let books = try await Books(seed: 3, days: 0.1)
        let ledger = books.ledger
        try await ledger.recordIntensity(
            from: Books.day(30), zone: "PL", intensity: .init(gramsPerKilowattHour: 700), pue: 1, source: "test")
        try await ledger.recordIntensity(
            from: Books.day(0.2), zone: "FR", intensity: .init(gramsPerKilowattHour: 56), pue: 1, source: "test")
        let span = SpanDelta(
            account: .system, active: .init(joules: 3600), reservedIdle: .zero, low: .zero, high: .init(joules: 3600),
            carbon: .init(micrograms: 56_000), carbonLow: .zero, carbonHigh: .init(micrograms: 56_000),
            activeCarbon: .init(micrograms: 56_000), tier: .measured)
        let interval = MeteredInterval(
            domain: "package-0", kind: "cpu", source: "test", start: Books.day(0.3), end: Books.day(0.3),
            metered: span.active, low: .zero, high: span.active, isGap: false, tier: .measured, spans: [span])
        try await ledger.add([interval], host: books.host)
        #expect(try await books.audit().findings == [])
        try await books.edit("UPDATE spans SET carbon_ug = 20000, active_carbon_ug = 20000 WHERE carbon_ug = 56000")
        #expect(try await books.audit().findings.map(\.check) == ["carbon"])
    }

    /// Whatever stands in the file: reports, the end of a job and closing go on.
    @Test(arguments: [
        "INSERT INTO domain_minutes VALUES (-9000000000000000000, 1, 0, 0, 0, 0, 0, 'gap')",
        "INSERT INTO domain_days VALUES (9000000000000000000, 1, 0, 0, 0, 0, 0, 'gap')",
        "UPDATE chain SET last = 9223372036854775807 WHERE source = 'jobs'",
        "UPDATE spans SET active_uj = 9223372036854775807 WHERE job_id = 0",
        "UPDATE spans SET active_uj = 9223372036854775807, idle_uj = 9223372036854775807",
        "UPDATE domain_minutes SET metered_uj = 9223372036854775807",
        "UPDATE intensities SET from_us = 9223372036854775807 WHERE from_us = (SELECT MAX(from_us) FROM intensities)",
        "INSERT INTO jobs SELECT 9000000000000000000, name, user, uid, gid, project, queue, priority, kind, spec, state, reason, rule, held, cancelled_by, attempt, cpus, memory_bytes, gpus, time_limit_s, not_before_us, submitted_us, started_us, ended_us, exit_status, signal, policy_hash, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL FROM jobs WHERE id = 1",
    ])
    func hostileNumbersStopNothing(edit: String) async throws {
        let books = try await Books(seed: 3, days: 0.2)
        let (ledger, id) = (books.ledger, books.jobs[0])
        _ = try await ledger.beginAttempt(id, bootID: "b", at: Books.day(0))
        try await books.close(day: 0.1)
        try await books.edit(edit)
        let history = try await ledger.history(now: Books.day(1))
        for grouping in ReportGrouping.allCases {
            _ = try await ledger.report(.init(since: history.since, until: history.until, by: grouping))
            _ = try await ledger.report(.init(since: history.since, until: history.until, by: grouping, job: id))
        }
        try await ledger.transition(
            id, to: .failed, cause: "test", at: Books.day(0.3), end: JobEnd(cpuMicroseconds: .max))
        #expect(try await ledger.job(id)?.record.state == .failed)
        _ = try await books.audit()
        // It may fail, where sums can no longer be stored; it may not stop the daemon.
        do { try await books.close(day: 1) } catch { #expect(error is LedgerError) }
        try? await ledger.recordIntensity(
            from: Books.day(1), zone: "FR", intensity: .init(gramsPerKilowattHour: 56), pue: 1, source: "test")
    }

    /// What an old ledger holds is sealed bit by bit, and the new context comes after all of it.
    @Test func aLongBeginningIsLeftToTheNextClose() async throws {
        let books = try await Books(seed: 3, days: 0.5)
        let ledger = books.ledger
        func context(_ hash: String) -> ChainContext { ChainContext(policyHash: hash, factors: "f", version: "1") }
        try await ledger.begin(context("first"), now: Books.day(0))
        try await ledger.begin(context("first"), now: Books.day(1))
        // The same is in force: nothing is to be done before the daemon starts.
        #expect(try await books.count("chain") == 1)
        try await ledger.begin(context("second"), now: Books.day(1), within: .zero)
        #expect(try await books.number("SELECT COUNT(*) FROM chain WHERE source = 'context'") == 1)
        try await ledger.close(
            before: Books.day(1), context: context("second"), retention: Retention(), now: Books.day(1))
        let last = try await books.number("SELECT seq FROM chain WHERE note LIKE 'policy second%'")
        let minutes = try await books.number("SELECT MAX(seq) FROM chain WHERE source = 'domain_minutes'")
        #expect(try #require(last) > #require(minutes))
        #expect(try await books.audit().findings == [])
    }

    /// What a daemon that was killed left is sealed under what it said was in force.
    @Test func theNextDaemonSealsWhatWasLeftBeforeItSpeaks() async throws {
        let books = try await Books(seed: 3, days: 0.1)
        let ledger = books.ledger
        func context(_ hash: String) -> ChainContext { ChainContext(policyHash: hash, factors: "f", version: "1") }
        try await ledger.begin(context("first"), now: Books.day(0))
        #expect(try await books.count("chain") == 1)
        try await ledger.begin(context("second"), now: Books.day(1))
        let sources = try await ledger.pool.read { db in
            try Row.fetchAll(db, sql: "SELECT source, note FROM chain ORDER BY seq").map { row in
                row["source"] == "context" ? row["note"] : row["source"] as String
            }
        }
        #expect(sources.first?.hasPrefix("policy first") == true && sources.last?.hasPrefix("policy second") == true)
        #expect(sources.contains("spans") && sources.contains("jobs") && sources.contains("domain_minutes"))
        #expect(try await books.audit().findings == [])
        #expect(try await books.audit().unsealedRows == 0)
    }
}
