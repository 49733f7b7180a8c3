import FoundationEssentials
import GRDB
import JobAPI
import Testing
import Units

@testable import Ledger

/// What energy cost when it was drawn, worked out by hand.
@Suite struct MoneyTests {
    private let start = Timestamp(seconds: 1_700_006_400)

    private func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    /// Half a kilowatt hour active and half idle in one minute, at a price for each.
    private func draw(
        _ fixture: TemporaryLedger, _ id: JobID, _ host: Int64, minute: Int, price: Double?
    ) async throws {
        let half = Energy(microjoules: 1_800_000_000_000)
        let span = SpanDelta(
            account: .job(id, attempt: 1), active: half, reservedIdle: half, low: half, high: half + half,
            carbon: .zero, carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero,
            money: price.map {
                SpanMoney(
                    whole: Int64($0 * 1e6), active: Int64($0 * 0.5e6), priced: half + half, activePriced: half)
            }, tier: .measured)
        try await fixture.ledger.add(
            [
                MeteredInterval(
                    domain: "package-0", kind: "cpu", source: "test", start: at(Double(minute) * 60 + 1),
                    end: at(Double(minute) * 60 + 59), metered: half + half, low: half, high: half + half,
                    isGap: false, tier: .measured, spans: [span])
            ], host: host)
    }

    private func fixture() async throws -> (TemporaryLedger, JobID, Int64) {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        try await ledger.keepPolicy(hash: "abc", text: "", at: start)
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        try await ledger.recordIntensity(
            from: at(-100), zone: "DE", intensity: .init(gramsPerKilowattHour: 0), pue: 1, source: "test")
        return (fixture, try await fixture.accept(), host)
    }

    private func price(_ amount: Double, _ currency: String = "EUR") -> EnergyPrice {
        EnergyPrice(perKilowattHour: amount, currency: currency)
    }

    /// 1 kWh at 0.30, 1 kWh at -0.05 and 1 kWh of which nobody knows: 0.25 for two.
    @Test func eachMinuteHasThePriceThatWasInForce() async throws {
        let (fixture, id, host) = try await fixture()
        let ledger = fixture.ledger
        try await ledger.recordPrice(price(0.3), from: at(-100))
        try await draw(fixture, id, host, minute: 0, price: 0.3)
        try await ledger.recordPrice(price(-0.05), from: at(60))
        try await draw(fixture, id, host, minute: 1, price: -0.05)
        try await ledger.recordPrice(nil, from: at(120))
        try await draw(fixture, id, host, minute: 2, price: nil)
        func check() async throws {
            let report = try await ledger.report(ReportQuery(since: start, until: at(86_400), by: .user))
            let figures = report.totals.figures
            #expect(abs((figures.cost ?? 0) - 0.25) < 1e-9 && figures.currency == "EUR")
            #expect(figures.unpricedJ == 3.6e6 && report.rows.first?.figures == figures)
            #expect(report.notes.contains { $0.contains("no price was known for 1 kWh") }, "\(report.notes)")
            let marginal = try await ledger.report(
                ReportQuery(since: start, until: at(86_400), by: .user, basis: .marginal))
            #expect(abs((marginal.totals.figures.cost ?? 0) - 0.125) < 1e-9)
            #expect(marginal.totals.figures.unpricedJ == 1.8e6)
            #expect(try await ledger.job(id)?.record.energy == figures)
            #expect(try await ledger.audit(now: at(86_400)).findings == [])
        }
        try await check()
        // Added up to hours and days, with the minutes dropped, it is the same.
        try await ledger.close(
            before: at(86_400), context: Books.context, retention: Retention(minutes: .zero, hours: .zero),
            now: at(86_400))
        try await check()
    }

    /// The end of a period settles the currency: what was paid in another is no number of this one.
    @Test func anotherCurrencyIsAnotherSum() async throws {
        let (fixture, id, host) = try await fixture()
        let ledger = fixture.ledger
        try await ledger.recordPrice(price(0.3), from: at(-100))
        try await draw(fixture, id, host, minute: 0, price: 0.3)
        try await ledger.recordPrice(price(0.5, "USD"), from: at(70))
        try await draw(fixture, id, host, minute: 3, price: 0.5)
        let now = try await ledger.report(ReportQuery(since: start, until: at(300), by: .user))
        #expect(now.totals.figures.cost == 0.5 && now.totals.figures.currency == "USD")
        #expect(now.totals.figures.unpricedJ == 3.6e6)
        #expect(now.notes.contains { $0.hasPrefix("cost: in USD since ") })
        let before = try await ledger.report(ReportQuery(since: start, until: at(60), by: .user))
        #expect(before.totals.figures.cost == 0.3 && before.totals.figures.currency == "EUR")
    }

    @Test func whereNothingCostsMoneyThereIsNoFigure() async throws {
        let (fixture, id, host) = try await fixture()
        try await draw(fixture, id, host, minute: 0, price: nil)
        try await fixture.ledger.recordPrice(nil, from: at(0))
        let figures = try await fixture.ledger.report(ReportQuery(since: start, until: at(60), by: .user)).totals
            .figures
        #expect(figures.cost == nil && figures.currency == nil && figures.unpricedJ == nil)
    }

    @Test(arguments: [
        "money_micros = money_micros + 2000000", "money_micros = NULL", "priced_uj = priced_uj + 1",
        "active_priced_uj = priced_uj",
    ])
    func theAuditFindsMoneyThatNobodyPaid(edit: String) async throws {
        let (fixture, id, host) = try await fixture()
        try await fixture.ledger.recordPrice(price(0.3), from: at(-100))
        try await draw(fixture, id, host, minute: 0, price: 0.3)
        #expect(try await fixture.ledger.audit(now: at(600)).findings == [])
        try await fixture.ledger.pool.write { db in try db.execute(sql: "UPDATE spans SET " + edit) }
        #expect(try await fixture.ledger.audit(now: at(600)).findings.first?.check == "money")
    }

    /// What is sealed cannot be moved within the prices there were either, nor be made to have none.
    @Test(arguments: [
        "money_micros = money_micros - 1",
        "money_micros = NULL, active_money_micros = NULL, "
            + "priced_uj = NULL, active_priced_uj = NULL",
    ])
    func theChainHoldsMoney(edit: String) async throws {
        let (fixture, id, host) = try await fixture()
        try await fixture.ledger.recordPrice(price(0.3), from: at(-100))
        try await draw(fixture, id, host, minute: 0, price: 0.3)
        try await fixture.ledger.close(
            before: at(600), context: Books.context, retention: Retention(), now: at(600))
        #expect(try await fixture.ledger.audit(now: at(600)).findings == [])
        try await fixture.ledger.pool.write { db in try db.execute(sql: "UPDATE spans SET " + edit) }
        #expect(try await fixture.ledger.audit(now: at(600)).findings.first?.check == "chain")
    }

    /// Rows that an earlier release sealed have the fingerprint they had.
    @Test func whatWasSealedBeforeStaysSealed() throws {
        let queue = try DatabaseQueue()
        try Migrations.all.migrate(queue, upTo: "v8")
        try queue.write { db in
            for table in ["spans", "span_hours", "span_days"] {
                try db.execute(
                    sql: """
                        INSERT INTO hosts VALUES (NULL, '\(table)', 'c', 4, 1000);
                        INSERT INTO domains SELECT NULL, id, 'package-0', 'cpu', 'test' FROM hosts WHERE name = '\(table)';
                        INSERT INTO \(table) SELECT 5, MAX(id), 'job', 1, 1, 5, 2, 7, 7, 0, 0, 0, 0, 'measured', 1, 2, 3
                            FROM domains
                        """)
            }
        }
        func digests() throws -> [[UInt8]] {
            try queue.read { db in
                try [SealedTable.spans, .spanHours, .spanDays].map { table in
                    var digest = RowsDigest(of: table)
                    for row in try Row.fetchAll(db, sql: table.rows, arguments: [0, 10]) { digest.add(row) }
                    return digest.digest()
                }
            }
        }
        let before = try digests()
        try Migrations.all.migrate(queue)
        #expect(try digests() == before)
        try queue.write { db in try db.execute(sql: "UPDATE spans SET priced_uj = 0") }
        #expect(try digests() != before)
    }
}
