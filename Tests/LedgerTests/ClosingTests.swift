import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// Minutes become hours and days, and every total stays the same.
@Suite struct ClosingTests {
    @Test(arguments: ReportGrouping.allCases, BillingBasis.allCases)
    func totalsStayToTheMicrojoule(grouping: ReportGrouping, basis: BillingBasis) async throws {
        let books = try await Books(seed: 4, every: 5800)
        let before = try await books.report(grouping, basis: basis)
        try await books.close()
        let closed = try await books.report(grouping, basis: basis)
        #expect(closed.rows == before.rows)
        #expect(closed.balance == before.balance)
        #expect(closed.totals == before.totals)
        // Minutes older than a day and hours older than two are dropped.
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        let dropped = try await books.report(grouping, basis: basis)
        #expect(dropped.rows == before.rows)
        #expect(dropped.balance == before.balance)
        #expect(dropped.balance.residualUj == 0)
        #expect(dropped.notes.allSatisfy { $0.hasPrefix("cost: ") } == (basis == .full))
    }

    /// What is reported where nobody says from when.
    @Test func theHistoryBeginsWithWhatWasDropped() async throws {
        let books = try await Books(seed: 4)
        let before = try await books.ledger.history(now: Books.day(3))
        let whole = try await books.report()
        #expect(before.since > Books.day(0) && before.until == Books.day(3))
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        let after = try await books.ledger.history(now: Books.day(3))
        #expect(after.since == Books.day(0) && after.until == Books.day(3))
        let report = try await books.ledger.report(.init(since: after.since, until: after.until, by: .job))
        #expect(report.totals == whole.totals && report.balance == whole.balance)
    }

    /// The clock was ahead once: what was booked then is not hidden.
    @Test func theHistoryEndsWithWhatWasBookedAhead() async throws {
        let books = try await Books(seed: 4)
        let last = try #require(await books.number("SELECT MAX(minute) FROM domain_minutes"))
        #expect(try await books.ledger.history(now: Books.day(1)).until == Timestamp(minute: last + 1))
        let empty = try TemporaryLedger()
        let now = Books.day(1)
        #expect(try await empty.ledger.history(now: now) == (now, now))
    }

    @Test func oldRowsAreDroppedAndNewOnesKept() async throws {
        let books = try await Books(seed: 5)
        let minutes = try await books.count("spans")
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        #expect(try await books.count("spans") < minutes / 2)
        #expect(try await books.count("spans") > 0)
        // Of the first of three days only the day is left.
        let firstHour = try await books.number("SELECT MIN(minute) FROM span_hours")
        #expect(try #require(firstHour) >= Books.day(1).minute)
        #expect(try await books.count("span_days") > 0)
        #expect(try await books.ledger.pool.read { try Frontiers($0) }.days == Books.day(3).minute)
    }

    /// A job of the day that is dropped still has its joules in lists.
    @Test func aJobKeepsItsFigures() async throws {
        let books = try await Books(seed: 6)
        let before = try #require(await books.ledger.job(books.jobs[1])).record.energy
        #expect(before.energyJ > 0)
        try await books.close(keepMinutes: .seconds(3600), keepHours: .seconds(3600))
        #expect(try await books.ledger.job(books.jobs[1])?.record.energy == before)
    }

    @Test func aPeriodIsWidenedWhereItsMinutesAreDropped() async throws {
        let books = try await Books(seed: 7)
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        let hour = 1.0 / 24
        let byHour = try await books.report(.user, since: 1 + 3.4 * hour, until: 1 + 5.6 * hour)
        #expect(byHour.period.since == Books.day(1 + 3 * hour) && byHour.period.until == Books.day(1 + 6 * hour))
        #expect(byHour.balance.residualUj == 0 && byHour.notes.filter { !$0.hasPrefix("cost: ") }.count == 1)
        let recent = try await books.report(.user, since: 2.1 + 1 / 86_400, until: 2.2)
        #expect(recent.period.since == Books.day(2.1) && recent.notes.allSatisfy { $0.hasPrefix("cost: ") })
    }

    /// Energy, run time, embodied carbon and waste of one and the same time.
    @Test func aWidenedPeriodIsThatOfTheWholeDay() async throws {
        let books = try await Books(seed: 7)
        let factors = SiteFactors(cpus: 4, embodied: .init(grams: 1e6), lifetime: .seconds(1e8))
        try await books.ledger.recordSite(factors, from: Books.day(-1))
        _ = try await books.ledger.beginAttempt(books.jobs[0], bootID: "b", at: Books.day(0.2))
        try await books.ledger.recordProcess(
            books.jobs[0], attempt: 1, pid: 1, startTime: 1, cgroup: nil, enforced: [], at: Books.day(0.2))
        try await books.ledger.transition(books.jobs[0], to: .failed, cause: "test", at: Books.day(0.8))
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        let part = try await books.report(.user, since: 0.3, until: 0.4)
        let day = try await books.report(.user, since: 0, until: 1)
        #expect(part.period.since == Books.day(0) && part.period.until == Books.day(1))
        #expect(part.rows == day.rows && part.totals == day.totals && part.balance == day.balance)
        #expect(abs(part.totals.durationS - 0.6 * 86_400) < 1e-3 && part.totals.embodiedG != nil)
        #expect(part.totals.wasteJ != nil)
    }

    /// Two reports that meet within a minute both hold it, and both say so.
    @Test func aPeriodIsOneOfWholeMinutes() async throws {
        let books = try await Books(seed: 7)
        let minute = 1.0 / 1440
        let report = try await books.report(.user, since: 1 + 0.4 * minute, until: 1 + 1.5 * minute)
        #expect(report.period.since == Books.day(1) && report.period.until == Books.day(1 + 2 * minute))
    }

    /// With no time at all it takes a step of each call, and says that there is more to do.
    @Test func itCanLeaveOff() async throws {
        let books = try await Books(seed: 8, days: 0.5)
        var calls = 0
        var isDone = false
        while !isDone, calls < 1000 {
            calls += 1
            isDone = try await books.ledger.close(
                before: Books.day(1), context: Books.context, retention: Retention(), now: Books.day(1), within: .zero)
        }
        #expect(calls > 3 && isDone)
        let whole = try await Books(seed: 8, days: 0.5)
        try await whole.close(day: 1)
        #expect(try await books.report().rows == whole.report().rows)
        #expect(try await books.count("span_hours") == whole.count("span_hours"))
        #expect(try await books.audit().findings == [])
    }

    /// Closing by halves, in any steps, gives the same rows as closing at once.
    @Test func itGoesOnWhereItStopped() async throws {
        let (once, steps) = (try await Books(seed: 8), try await Books(seed: 8))
        try await once.close()
        for step in 0...24 { try await steps.close(day: Double(step) / 8) }
        try await steps.close()
        for table in ["span_hours", "span_days", "domain_hours", "domain_days"] {
            let rows = { (books: Books) in
                try await books.ledger.pool.read { db in
                    try Row.fetchAll(db, sql: "SELECT * FROM \(table) ORDER BY 1, 2, 3").map(\.description)
                }
            }
            #expect(try await rows(once) == rows(steps))
        }
        #expect(try await steps.audit().findings == [])
    }

    /// The clock was set back: the energy goes to the first minute that is open, and nothing sealed changes.
    @Test func whatComesLateIsNotLost() async throws {
        let books = try await Books(seed: 9)
        try await books.close()
        let before = try await books.report().balance
        var generator = Seeded(1)
        let late = Books.interval(books.jobs, at: 3600, domain: "package-0", &generator)
        try await books.ledger.add([late], host: books.host)
        let after = try await books.report().balance
        #expect(after.meteredUj == before.meteredUj + late.metered.microjoules && after.residualUj == 0)
        #expect(try await books.audit().findings == [])
        #expect(try await books.audit().unsealedRows == late.spans.count)
    }

    @Test func aPeriodIsMadeOfFewPieces() {
        var frontiers = Frontiers()
        (frontiers.hours, frontiers.days) = (5 * 1440 + 120, 5 * 1440)
        let period = SpanPeriod(from: 1440 - 61, until: 5 * 1440 + 150, frontiers)
        #expect(
            period.pieces == [
                .init(level: .minute, from: 1379, until: 1380), .init(level: .hour, from: 1380, until: 1440),
                .init(level: .day, from: 1440, until: 7200), .init(level: .hour, from: 7200, until: 7320),
                .init(level: .minute, from: 7320, until: 7350),
            ])
        #expect(SpanPeriod(from: 5, until: 5, frontiers).pieces.isEmpty)
        #expect(
            SpanPeriod(from: 7330, until: 7331, frontiers).pieces == [.init(level: .minute, from: 7330, until: 7331)])
    }
}
