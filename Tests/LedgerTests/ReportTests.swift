import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

@Suite struct ReportTests {
    private let day = Timestamp(seconds: 1_700_006_400)  // 2023-11-15T00:00:00Z

    private func interval(
        _ spans: [SpanDelta], at: Double, domain: String = "package-0", gap: Bool = false, tier: Tier = .measured
    ) -> MeteredInterval {
        let sum = spans.reduce(Energy.zero) { $0 + $1.active + $1.reservedIdle }
        return MeteredInterval(
            domain: domain, kind: "cpu", source: "test", start: Timestamp(seconds: day.seconds + at - 1),
            end: Timestamp(seconds: day.seconds + at), metered: sum, low: sum, high: sum, isGap: gap, tier: tier,
            spans: spans)
    }

    private func span(_ account: SpanAccount, active: Int64, idle: Int64 = 0, tier: Tier = .measured) -> SpanDelta {
        SpanDelta(
            account: account, active: .init(microjoules: active), reservedIdle: .init(microjoules: idle),
            low: .init(microjoules: active), high: .init(microjoules: active + idle),
            carbon: .init(micrograms: active / 10), carbonLow: .zero, carbonHigh: .init(micrograms: active),
            activeCarbon: .init(micrograms: active / 10), gap: tier == .gap ? .seconds(1) : .zero, tier: tier)
    }

    private func query(by: ReportGrouping, user: String? = nil) -> ReportQuery {
        ReportQuery(since: day, until: day.advanced(by: .seconds(3 * 86400)), by: by, user: user)
    }

    @Test func theSameJoulesUnderEveryGrouping() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 2, memory: .gibibytes(1))
        let a = try await fixture.accept(user: "ada", project: "nlp")
        let b = try await fixture.accept(user: "bob", project: "nlp")
        let c = try await fixture.accept(user: "ada", project: "vision")
        var generator = Seeded(3)
        var expected: Int64 = 0
        for second in 0..<200 {
            let spans = [a, b, c].map { id in
                span(.job(id, attempt: 1), active: .random(in: 0...5_000_000, using: &generator), idle: 1)
            }
            let others: [SpanAccount] = [.system, .daemon, .idle]
            let rest = others.map { span($0, active: .random(in: 0...1000, using: &generator)) }
            expected += spans.reduce(0) { $0 + $1.active.microjoules + $1.reservedIdle.microjoules }
            try await ledger.add([interval(spans + rest, at: Double(second) * 700)], host: host)
        }
        for grouping in ReportGrouping.allCases {
            let report = try await ledger.report(query(by: grouping))
            let sum = report.rows.reduce(0.0) { $0 + $1.figures.energyJ }
            #expect(abs(sum - Double(expected) / 1e6) < 1e-6, "by \(grouping)")
            #expect(report.balance.jobsUj == expected)
            #expect(report.balance.residualUj == 0)
            #expect(report.totals.jobs == 3)
        }
        #expect(try await ledger.report(query(by: .day)).rows.map(\.key) == ["2023-11-15", "2023-11-16"])
        #expect(try await ledger.report(query(by: .user)).rows.map(\.key) == ["ada", "bob"])
        #expect(try await ledger.report(query(by: .project)).rows.map(\.key) == ["nlp", "vision"])
        #expect(try await ledger.report(query(by: .device)).rows.map(\.key) == ["package-0"])
        let mine = try await ledger.report(query(by: .job, user: "bob"))
        #expect(mine.rows.map(\.key) == ["2"])
    }

    @Test func aSumHasTheWorstTierOfItsParts() async throws {
        let fixture = try TemporaryLedger()
        let host = try await fixture.ledger.host(name: "h", cpuModel: "c", cpus: 2, memory: .gibibytes(1))
        let id = try await fixture.accept()
        try await fixture.ledger.add(
            [
                interval([span(.job(id, attempt: 1), active: 5)], at: 1),
                interval([span(.job(id, attempt: 1), active: 5, tier: .table)], at: 2, tier: .table),
                interval([span(.job(id, attempt: 1), active: 7)], at: 3),
                interval([span(.job(id, attempt: 1), active: 0, tier: .gap)], at: 4, gap: true, tier: .gap),
            ], host: host)
        let report = try await fixture.ledger.report(query(by: .job))
        #expect(report.rows.first?.figures.tier == .table)
        #expect(report.rows.first?.figures.gapS == 1)
        #expect(report.balance.jobsUj == 17)
    }

    @Test func gapsAreSecondsNotJoules() async throws {
        let fixture = try TemporaryLedger()
        let host = try await fixture.ledger.host(name: "h", cpuModel: "c", cpus: 2, memory: .gibibytes(1))
        let id = try await fixture.accept()
        try await fixture.ledger.add(
            [interval([span(.job(id, attempt: 1), active: 0, tier: .gap)], at: 1, gap: true, tier: .gap)], host: host)
        let report = try await fixture.ledger.report(query(by: .job))
        #expect(report.rows.first?.figures.gapS == 1)
        #expect(report.rows.first?.figures.energyJ == 0)
        #expect(report.rows.first?.figures.tier == .gap)
    }

    @Test func joulesPerEpochAndSample() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 2, memory: .gibibytes(1))
        let id = try await fixture.accept()
        _ = try await ledger.beginAttempt(id, bootID: "b", at: day)
        try await ledger.recordEvents(
            id, attempt: 1, at: day, metrics: [], artifacts: [], progress: .init(epoch: 4), completed: (4, 100),
            offset: 0)
        try await ledger.add([interval([span(.job(id, attempt: 1), active: 8_000_000)], at: 1)], host: host)
        let row = try #require(await ledger.report(query(by: .job)).rows.first)
        #expect(row.energyPerEpochJ == 2)
        #expect(row.energyPerSampleJ == 0.08)
    }
}
