import GRDB
import JobAPI
import TestSupport
import Units

@testable import Ledger

/// A ledger with random jobs and readings of several days in it, the same for the same seed.
struct Books {
    let fixture: TemporaryLedger
    let host: Int64
    let jobs: [JobID]
    /// 2023-11-15T00:00:00Z.
    static let start = Timestamp(seconds: 1_700_006_400)
    static let context = ChainContext(policyHash: "abc", factors: "a table", version: "1")
    /// From the second day's evening on the grid is greener.
    static func gramsPerKilowattHour(at seconds: Double) -> Double { seconds < 1.7 * 86_400 ? 400 : 50 }

    static func price(at seconds: Double) -> Double { seconds < 1.7 * 86_400 ? 0.3 : -0.1 }

    var ledger: Ledger { fixture.ledger }

    init(seed: UInt64 = 1, days: Double = 2.5, every seconds: Double = 2900, jobs count: Int = 3) async throws {
        fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        try await ledger.keepPolicy(hash: "abc", text: "", at: Self.start)
        host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        for from in [-1, 1.7 * 86_400] {
            try await ledger.recordIntensity(
                from: Self.start.advanced(by: .seconds(from)), zone: "DE",
                intensity: .init(gramsPerKilowattHour: Self.gramsPerKilowattHour(at: from)), pue: 1.5, source: "test")
            try await ledger.recordPrice(
                .init(perKilowattHour: Self.price(at: from), currency: "EUR"),
                from: Self.start.advanced(by: .seconds(from)))
        }
        var ids: [JobID] = []
        for index in 0..<count {
            ids.append(
                try await fixture.accept(user: ["ada", "bob"][index % 2], project: ["nlp", "vision"][index % 2]))
        }
        jobs = ids
        var generator = Seeded(seed)
        var at = 0.0
        while at < days * 86_400 {
            at += seconds * .random(in: 0.5...1.5, using: &generator)
            try await ledger.add(
                ["package-0", "dram-0"].map { Self.interval(ids, at: at, domain: $0, &generator) }, host: host)
        }
    }

    /// One second in which random jobs drew random energy.
    static func interval(
        _ jobs: [JobID], at seconds: Double, domain: String, _ generator: inout Seeded
    ) -> MeteredInterval {
        let accounts = jobs.map { SpanAccount.job($0, attempt: 1) } + [.system, .daemon, .idle]
        let tier = Bool.random(using: &generator) ? Tier.measured : .table
        let spans = accounts.filter { _ in Int.random(in: 0..<4, using: &generator) > 0 }.map { account in
            let active = Int64.random(in: 0...90_000_000, using: &generator)
            let idle = Int64.random(in: 0...9_000_000, using: &generator)
            let factor = 1.5 * gramsPerKilowattHour(at: seconds) / 3.6e6
            let carbon = Double(active + idle) * factor
            let priced = 1.5 * price(at: seconds) / 3.6e6
            // Now and then nobody knew a price.
            let money =
                active % 7 == 0
                ? nil
                : SpanMoney(
                    whole: Int64((Double(active + idle) * priced).rounded(.down)),
                    active: Int64((Double(active) * priced).rounded(.down)), priced: .init(microjoules: active + idle),
                    activePriced: .init(microjoules: active))
            return SpanDelta(
                account: account, active: .init(microjoules: active), reservedIdle: .init(microjoules: idle),
                low: .init(microjoules: (active + idle) / 2), high: .init(microjoules: (active + idle) * 2),
                carbon: .init(micrograms: Int64(carbon.rounded())), carbonLow: .zero,
                carbonHigh: .init(micrograms: Int64(carbon.rounded()) * 2),
                activeCarbon: .init(micrograms: Int64(Double(active) * factor)),
                waterMicrolitres: active / 100 + idle / 300, activeWaterMicrolitres: active / 100, money: money,
                tier: tier)
        }
        let sum = spans.reduce(Energy.zero) { $0 + $1.active + $1.reservedIdle }
        let end = Timestamp(seconds: start.seconds + seconds)
        return MeteredInterval(
            domain: domain, kind: "cpu", source: "test", start: end.advanced(by: .seconds(-1)), end: end, metered: sum,
            low: sum, high: sum, isGap: false, tier: tier, spans: spans)
    }

    static func day(_ days: Double) -> Timestamp { Timestamp(seconds: start.seconds + days * 86_400) }

    func close(
        day: Double = 3, keepMinutes: Duration = .seconds(1e9), keepHours: Duration = .seconds(1e9)
    ) async throws {
        try await ledger.close(
            before: Self.day(day), context: Self.context,
            retention: Retention(minutes: keepMinutes, hours: keepHours), now: Self.day(day))
    }

    func report(
        _ grouping: ReportGrouping = .job, since: Double = -1, until: Double = 4, basis: BillingBasis = .full
    ) async throws -> EnergyReport {
        try await ledger.report(
            ReportQuery(since: Self.day(since), until: Self.day(until), by: grouping, basis: basis))
    }

    func edit(_ sql: String) async throws {
        try await ledger.pool.write { db in try db.execute(sql: sql) }
    }

    func count(_ table: String) async throws -> Int { Int(try await number("SELECT COUNT(*) FROM \(table)") ?? 0) }

    func number(_ sql: String) async throws -> Int64? {
        try await ledger.read("test") { db in try Int64.fetchOne(db, sql: sql) }
    }

    /// Column names and values of the first row.
    func row(_ sql: String) async throws -> [(name: String, value: String)] {
        try await ledger.read("test") { db in
            try Row.fetchOne(db, sql: sql).map { $0.map { ($0.0, "\($0.1.storage.value ?? "")") } } ?? []
        }
    }

    func audit() async throws -> AuditReport { try await ledger.audit(now: Self.day(3)) }
}
