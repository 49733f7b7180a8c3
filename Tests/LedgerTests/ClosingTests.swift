import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// Minutes become hours and days, and every total stays the same.
@Suite struct ClosingTests {
    @Test(arguments: ReportGrouping.allCases)
    func totalsStayToTheMicrojoule(grouping: ReportGrouping) async throws {
        let books = try await Books(seed: 4)
        let before = try await books.report(grouping)
        try await books.close()
        let closed = try await books.report(grouping)
        #expect(closed.rows == before.rows)
        #expect(closed.balance == before.balance)
        #expect(closed.totals == before.totals)
        // Minutes older than a day and hours older than two are dropped.
        try await books.close(keepMinutes: .seconds(86_400), keepHours: .seconds(2 * 86_400))
        let dropped = try await books.report(grouping)
        #expect(dropped.rows == before.rows)
        #expect(dropped.balance == before.balance)
        #expect(dropped.balance.residualUj == 0)
        #expect(dropped.notes.isEmpty)
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
        #expect(byHour.balance.residualUj == 0 && byHour.notes.count == 1)
        let byDay = try await books.report(.user, since: 0.3, until: 0.4)
        #expect(byDay.period.since == Books.day(0) && byDay.period.until == Books.day(1))
        let recent = try await books.report(.user, since: 2.101, until: 2.2)
        #expect(recent.period.since == Books.day(2.101) && recent.notes.isEmpty)
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
