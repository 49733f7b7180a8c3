import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// What jobs saved against running at once, worked out by hand.
@Suite struct SavingsTests {
    private let start = Timestamp(seconds: 1_700_006_400)

    private func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    /// A job submitted at 0 with its baseline there, on a grid whose intensity changes as given.
    private func submitted(
        _ intensities: [(from: Double, grams: Double)], pue: Double = 1, baseline: Double? = 0
    ) async throws -> (TemporaryLedger, JobID, Int64) {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        try await ledger.keepPolicy(hash: "p", text: "", at: start)
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        for step in intensities {
            try await ledger.recordIntensity(
                from: at(step.from), zone: "DE", intensity: .init(gramsPerKilowattHour: step.grams), pue: pue,
                source: "test")
        }
        let id = try await ledger.accept(
            NewJob(
                spec: JobSpec(command: .init(argv: ["true"])), user: "ada", uid: 1, gid: 1, project: "p",
                queue: "batch", priority: 1, timeLimit: nil, held: false, reason: "", rule: nil, policyHash: "p",
                submittedAt: start,
                baseline: baseline.map { Baseline(start: at($0), runSeconds: 3600, watts: 1000) }))
        return (fixture, id, host)
    }

    /// 1 kW for each minute of `minutes`, priced as the meter does.
    private func draw(
        _ fixture: TemporaryLedger, _ id: JobID, _ host: Int64, minutes: Range<Int>, grams: Double, pue: Double = 1
    ) async throws {
        for minute in minutes {
            let carbon = CarbonMass(micrograms: Int64((6e10 * grams * pue / 3.6e6).rounded()))
            let energy = Energy(microjoules: 60_000_000_000)
            let span = SpanDelta(
                account: .job(id, attempt: 1), active: energy, reservedIdle: .zero, low: energy, high: energy,
                carbon: carbon, carbonLow: carbon, carbonHigh: carbon, activeCarbon: carbon,
                tier: .measured)
            try await fixture.ledger.add(
                [
                    MeteredInterval(
                        domain: "package-0", kind: "cpu", source: "test", start: at(Double(minute) * 60 + 1),
                        end: at(Double(minute) * 60 + 59), metered: energy, low: energy, high: energy, isGap: false,
                        tier: .measured, spans: [span])
                ], host: host)
        }
    }

    private func begin(_ fixture: TemporaryLedger, _ id: JobID, at seconds: Double) async throws {
        _ = try await fixture.ledger.beginAttempt(id, bootID: "b", at: at(seconds))
        try await fixture.ledger.recordProcess(
            id, attempt: 1, pid: 1, startTime: 1, cgroup: nil, enforced: [], at: at(seconds))
    }

    private func end(_ fixture: TemporaryLedger, _ id: JobID, at seconds: Double) async throws -> Savings {
        try await fixture.ledger.transition(id, to: .succeeded, cause: "done", at: at(seconds))
        return try #require(try await fixture.ledger.savings(of: id))
    }

    /// An hour of 1 kW is 1 kWh: 400 g at once, 100 g two hours later, with a PUE of 1.5 half as much again.
    @Test(arguments: [1.0, 1.5]) func aLaterHourIsPricedAgainstTheFirst(pue: Double) async throws {
        let (fixture, id, host) = try await submitted([(-100, 400), (7200, 100)], pue: pue)
        #expect(try await fixture.ledger.savings(of: id)?.carbonSavedG == nil, "it has not run")
        try await begin(fixture, id, at: 7200)
        try await draw(fixture, id, host, minutes: 120..<180, grams: 100, pue: pue)
        let savings = try await end(fixture, id, at: 10_800)
        #expect(savings.baselineStart == start && savings.baselineRunS == 3600 && savings.baselinePowerW == 1000)
        #expect(abs((savings.baselineCarbonG ?? 0) - 400 * pue) < 1e-3)
        #expect(abs((savings.carbonSavedG ?? 0) - 300 * pue) < 1e-3)
        for grouping in ReportGrouping.allCases where grouping != .device {
            let report = try await fixture.ledger.report(ReportQuery(since: start, until: at(20_000), by: grouping))
            #expect(report.rows.first?.carbonSavedG == savings.carbonSavedG, "\(grouping)")
            #expect(report.totals.carbonSavedG == savings.carbonSavedG, "\(grouping)")
            #expect(report.balance.residualUj == 0)
        }
        let before = try await fixture.ledger.report(ReportQuery(since: start, until: at(9000), by: .job))
        #expect(before.totals.carbonSavedG == nil, "it counts where the job ends")
    }

    @Test func whatWasForetoldWronglyCostsMore() async throws {
        let (fixture, id, host) = try await submitted([(-100, 100), (7200, 400)])
        try await begin(fixture, id, at: 7200)
        try await draw(fixture, id, host, minutes: 120..<180, grams: 400)
        let savings = try await end(fixture, id, at: 10_800)
        #expect(abs((savings.carbonSavedG ?? 0) + 300) < 1e-3)
    }

    /// The intensity changes in the middle of what the baseline would have run: each part has its own.
    @Test func eachPartHasItsOwnIntensity() async throws {
        let (fixture, id, host) = try await submitted([(-100, 400), (1800, 200), (3600, 50)])
        try await begin(fixture, id, at: 3600)
        try await draw(fixture, id, host, minutes: 60..<120, grams: 50)
        let savings = try await end(fixture, id, at: 7200)
        #expect(abs((savings.baselineCarbonG ?? 0) - 300) < 1e-3)
        #expect(abs((savings.carbonSavedG ?? 0) - 250) < 1e-3)
    }

    /// Half an hour, an hour still, half an hour: run at once it would have gone through. What it drew while it stood still, 100 g,
    /// it would not have drawn at all.
    @Test func pausesAreNoPartOfTheBaseline() async throws {
        let (fixture, id, host) = try await submitted([(-100, 400), (5400, 100)])
        try await begin(fixture, id, at: 0)
        try await draw(fixture, id, host, minutes: 0..<30, grams: 400)
        try await fixture.ledger.transition(id, to: .suspended, cause: "dear", at: at(1800))
        try await draw(fixture, id, host, minutes: 30..<45, grams: 400)
        try await fixture.ledger.transition(id, to: .running, cause: "cheap", at: at(5400))
        try await draw(fixture, id, host, minutes: 90..<120, grams: 100)
        let savings = try await end(fixture, id, at: 7200)
        // Caused 200 + 100 + 50, at once 200 + 200.
        #expect(abs((savings.baselineCarbonG ?? 0) - 400) < 1e-3)
        #expect(abs((savings.carbonSavedG ?? 0) - 50) < 1e-3)
    }

    /// A yearly mean: nothing is saved, however long it waited and stood still, and whatever the site's overhead did.
    @Test func aConstantIntensitySavesNothing() async throws {
        let (fixture, id, host) = try await submitted([(-100, 381.7)], pue: 1.17)
        try await begin(fixture, id, at: 5000)
        try await draw(fixture, id, host, minutes: 84..<90, grams: 381.7, pue: 1.17)
        try await fixture.ledger.transition(id, to: .suspended, cause: "by hand", at: at(5400))
        try await draw(fixture, id, host, minutes: 90..<95, grams: 381.7, pue: 1.17)
        try await fixture.ledger.recordIntensity(
            from: at(5650), zone: "DE", intensity: .init(gramsPerKilowattHour: 381.7), pue: 1.3, source: "test")
        try await fixture.ledger.transition(id, to: .running, cause: "by hand", at: at(5700))
        try await draw(fixture, id, host, minutes: 95..<100, grams: 381.7, pue: 1.3)
        let savings = try await end(fixture, id, at: 6000)
        #expect(savings.carbonSavedG == 0)
    }

    @Test func oneThatRanAtOnceSavesNothing() async throws {
        let (fixture, id, host) = try await submitted([(-100, 400), (900, 130), (1900, 77)], baseline: 0)
        try await begin(fixture, id, at: 0)
        for (minutes, grams) in [(0..<15, 400.0), (15..<31, 130), (31..<40, 77)] {
            try await draw(fixture, id, host, minutes: minutes, grams: grams)
        }
        #expect(try await end(fixture, id, at: 2400).carbonSavedG == 0)
    }

    /// It was expected to wait two hours for room and did not: run at once it would not have begun later.
    @Test func theBaselineIsNoLaterThanTheStart() async throws {
        let (fixture, id, host) = try await submitted([(-100, 400), (1800, 100)], baseline: 7200)
        #expect(try await fixture.ledger.savings(of: id)?.baselineStart == at(7200))
        try await begin(fixture, id, at: 60)
        // Nor is it shown so.
        #expect(try await fixture.ledger.savings(of: id)?.baselineStart == at(60))
        try await draw(fixture, id, host, minutes: 1..<31, grams: 400)
        let savings = try await end(fixture, id, at: 1860)
        #expect(savings.carbonSavedG == 0 && savings.baselineStart == at(60))
    }

    @Test func whatNeverRanOrHadNoBaselineSavesNothing() async throws {
        let (cancelled, id, _) = try await submitted([(-100, 400), (10, 100)])
        try await cancelled.ledger.transition(id, to: .cancelled, cause: "no", at: at(5))
        #expect(try await cancelled.ledger.savings(of: id)?.carbonSavedG == nil)
        let (unfrozen, other, host) = try await submitted([(-100, 400), (3600, 100)], baseline: nil)
        try await begin(unfrozen, other, at: 3600)
        try await draw(unfrozen, other, host, minutes: 60..<90, grams: 100)
        try await unfrozen.ledger.transition(other, to: .succeeded, cause: "done", at: at(5400))
        #expect(try await unfrozen.ledger.savings(of: other) == nil)
    }

    /// Sealed with the rest; what is claimed without having been frozen is named even before it is sealed.
    @Test func theAuditHoldsThem() async throws {
        let (fixture, id, host) = try await submitted([(-100, 400), (7200, 100)])
        try await begin(fixture, id, at: 7200)
        try await draw(fixture, id, host, minutes: 120..<180, grams: 100)
        _ = try await end(fixture, id, at: 10_800)
        let later = at(20_000)
        #expect(try await fixture.ledger.audit(now: later).findings == [])
        func edited(_ sql: String, _ check: String) async throws {
            try await fixture.ledger.pool.write { db in try db.execute(sql: sql) }
            #expect(try await fixture.ledger.audit(now: later).findings.first?.check == check, "\(sql)")
        }
        try await edited("UPDATE savings SET start_us = start_us + 1", "savings")
        try await fixture.ledger.pool.write { db in try db.execute(sql: "UPDATE savings SET start_us = start_us - 1") }
        try await fixture.ledger.close(
            before: later, context: Books.context, retention: Retention(), now: later)
        let audit = try await fixture.ledger.audit(now: later)
        #expect(audit.findings == [] && audit.rows["savings"] == 1 && audit.rows["baselines"] == 1)
        try await edited("UPDATE savings SET baseline_ug = baseline_ug + 1", "chain")
    }

    // MARK: - The parts

    @Test func aMinuteThatHoldsBothGivesTheStillPartItsShare() {
        let times = RunningTimes([(0, 30_000_000), (60_000_000, 90_000_000)])
        guard let grid = IntensitiesInForce([.init(from: -1, gramsPerKilowattHour: 3.6e6, pue: 1)]) else {
            Issue.record("there is one")
            return
        }
        // At 1 µg/µJ throughout only what was drawn while it stood still makes a difference.
        #expect(times.saved(60, from: 0, until: 60_000_000, baseline: 0, grid) == -30)
        #expect(times.saved(60, from: 60_000_000, until: 120_000_000, baseline: 0, grid) == 0)
        #expect(times.saved(60, from: 200_000_000, until: 260_000_000, baseline: 0, grid) == 0)
        #expect(IntensitiesInForce([]) == nil)
    }

    @Test(arguments: Array(1...20) as [UInt64]) func meansAreThoseOfEverySecond(seed: UInt64) throws {
        var random = Seeded(seed)
        var from: Int64 = -1000
        let steps = (0..<10).map { _ in
            from += Int64.random(in: 1...100, using: &random)
            return IntensitiesInForce.Step(
                from: from, gramsPerKilowattHour: .random(in: 0...900, using: &random),
                pue: .random(in: 1...2, using: &random))
        }
        let grid = try #require(IntensitiesInForce(steps))
        for _ in 0..<50 {
            let low = Int64.random(in: -1100...200, using: &random)
            let high = low + Int64.random(in: 1...300, using: &random)
            let naive =
                (low..<high).map { second in
                    let step = steps.last { $0.from <= second } ?? steps[0]
                    return step.gramsPerKilowattHour * step.pue / 3.6e6
                }.reduce(0, +) / Double(high - low)
            #expect(abs(grid.factor(low, high) - naive) < 1e-12)
        }
    }
}
