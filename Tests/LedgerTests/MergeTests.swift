import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// What waits for the ledger is merged without losing a microjoule.
@Suite struct MergeTests {
    private func random(_ generator: inout Seeded, at second: Double) -> MeteredInterval {
        let accounts: [SpanAccount] = [.job(JobID(1), attempt: 1), .job(JobID(2), attempt: 1), .system, .idle]
        let isGap = Int.random(in: 0..<5, using: &generator) == 0
        let spans = accounts.filter { _ in Bool.random(using: &generator) }.map { account in
            let energy = Energy(microjoules: .random(in: 0...1_000_000, using: &generator))
            let money = SpanMoney(whole: -7, active: 3, priced: energy, activePriced: energy)
            return SpanDelta(
                account: account, active: energy,
                reservedIdle: .init(microjoules: .random(in: 0...1000, using: &generator)), low: .zero,
                high: .init(microjoules: 5), carbon: .init(micrograms: .random(in: 0...99, using: &generator)),
                carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero, money: isGap ? nil : money,
                gap: isGap ? .seconds(1) : .zero,
                tier: isGap ? .gap : .table)
        }
        let sum = spans.reduce(Energy.zero) { $0 + $1.active + $1.reservedIdle }
        return MeteredInterval(
            domain: Bool.random(using: &generator) ? "cpu-model" : "memory-model", kind: "cpu", source: "test",
            start: Timestamp(seconds: second), end: Timestamp(seconds: second + 1), metered: sum, low: .zero,
            high: sum, isGap: isGap, tier: isGap ? .gap : .table, spans: spans)
    }

    @Test func reportsAreTheSameWithAndWithout() async throws {
        var generator = Seeded(11)
        let intervals = (0..<900).map { random(&generator, at: 1_700_006_400 + Double($0)) }
        let merged = MeteredInterval.mergedByMinute(intervals)
        #expect(merged.count < intervals.count / 5)
        var reports: [EnergyReport] = []
        for batch in [intervals, merged] {
            let fixture = try TemporaryLedger()
            let host = try await fixture.ledger.host(name: "h", cpuModel: "c", cpus: 2, memory: .gibibytes(1))
            try await fixture.ledger.recordPrice(
                .init(perKilowattHour: 0.3, currency: "EUR"), from: Timestamp(seconds: 1_700_000_000))
            _ = try await fixture.accept()
            _ = try await fixture.accept()
            try await fixture.ledger.add(batch, host: host)
            reports.append(
                try await fixture.ledger.report(
                    ReportQuery(
                        since: Timestamp(seconds: 1_700_000_000), until: Timestamp(seconds: 1_700_100_000), by: .job)))
        }
        #expect(reports[0].rows == reports[1].rows)
        #expect(reports[0].totals.figures.cost != nil && reports[0].totals.figures.unpricedJ != nil)
        #expect(reports[0].balance == reports[1].balance)
        #expect(reports[0].balance.residualUj == 0)
    }
}
