import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// What an attempt lost, what it held in vain, and what making the machine adds. The figures are worked out by hand.
@Suite struct WasteTests {
    private let start = Timestamp(seconds: 1_700_006_400)

    private func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    /// An attempt of 100 s on 2 of 4 CPUs that draws 300 J active and 100 J reserved idle; `checkpoint` after 250 J.
    private func run(_ state: JobState, checkpoint: Bool = false, cpuSeconds: Double? = 50) async throws -> (
        TemporaryLedger, JobID
    ) {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        let id = try await ledger.accept(
            NewJob(
                spec: JobSpec(resources: .init(cpus: 2), command: .init(argv: ["true"])), user: "ada", uid: 1, gid: 1,
                project: "p", queue: "batch", priority: 1, timeLimit: nil, held: false, reason: "", rule: nil,
                policyHash: "", submittedAt: start))
        _ = try await ledger.beginAttempt(id, bootID: "b", at: start)
        try await ledger.recordProcess(
            id, attempt: 1, pid: 1, startTime: 1, cgroup: nil, enforced: [], at: start)
        func draw(_ active: Int64, _ idle: Int64, at seconds: Double) async throws {
            let span = SpanDelta(
                account: .job(id, attempt: 1), active: .init(microjoules: active * 1_000_000),
                reservedIdle: .init(microjoules: idle * 1_000_000), low: .zero,
                high: .init(microjoules: (active + idle) * 1_000_000), carbon: .init(micrograms: 1_000_000),
                carbonLow: .zero, carbonHigh: .init(micrograms: 1_000_000),
                activeCarbon: .init(micrograms: 1_000_000 * active / (active + idle)), tier: .measured)
            try await ledger.add(
                [
                    MeteredInterval(
                        domain: "package-0", kind: "cpu", source: "test", start: at(seconds - 1), end: at(seconds),
                        metered: span.active + span.reservedIdle, low: .zero, high: span.high, isGap: false,
                        tier: .measured, spans: [span])
                ], host: host)
        }
        try await draw(200, 50, at: 50)
        if checkpoint {
            try await ledger.recordEvents(
                id, attempt: 1, at: at(50), metrics: [], artifacts: [], progress: nil, completed: nil,
                isCheckpointed: true, offset: 0)
        }
        try await draw(100, 50, at: 100)
        try await ledger.transition(
            id, to: state, cause: "test", at: at(100),
            end: JobEnd(cpuMicroseconds: cpuSeconds.map { Int64($0 * 1e6) }))
        return (fixture, id)
    }

    private func row(_ fixture: TemporaryLedger, basis: BillingBasis = .full) async throws -> EnergyReport.Row {
        let query = ReportQuery(since: start, until: at(200), by: .job, basis: basis)
        let report = try await fixture.ledger.report(query)
        return try #require(report.rows.first)
    }

    @Test(arguments: [JobState.failed, .timedOut, .lost, .outOfMemory, .queued])
    func aFailedAttemptLosesWhatCameAfterItsCheckpoint(state: JobState) async throws {
        #expect(try await row(run(state, checkpoint: true).0).wasteJ == 150)
        #expect(try await row(run(state, checkpoint: false).0).wasteJ == 400)
    }

    @Test func whatSucceededOrWasCancelledIsNoWaste() async throws {
        #expect(try await row(run(.succeeded).0).wasteJ == nil)
        #expect(try await row(run(.cancelled).0).wasteJ == nil)
    }

    /// 50 of 200 CPU seconds were used: three quarters of 100 J of idle power were held in vain.
    @Test func overReservationIsTheIdlePowerNobodyUsed() async throws {
        #expect(try await row(run(.succeeded).0).overReservedJ == 75)
        #expect(try await row(run(.succeeded, cpuSeconds: 400).0).overReservedJ == nil, "more than it reserved")
        #expect(try await row(run(.succeeded, cpuSeconds: nil).0).overReservedJ == nil, "nobody knows")
    }

    @Test func bothBillingBasesAreThere() async throws {
        let (fixture, _) = try await run(.succeeded)
        let full = try await row(fixture).figures
        let marginal = try await row(fixture, basis: .marginal).figures
        #expect(full.energyJ == 400 && marginal.energyJ == 300)
        #expect(full.carbonG == 2)
        // 1 g with 200 of 250 J active, 1 g with 100 of 150 J.
        #expect(marginal.carbonG == 0.8 + 0.666666)
        #expect(marginal.energyHighJ == 300 && marginal.energyLowJ == 0)
    }

    /// 1,000 kg over 1,000,000 s: 1 g/s for the machine, 0.5 g/s for half its CPUs, 50 g for 100 s. After 60 s the factor
    /// doubles: 30 g and 40 s at 1 g/s.
    @Test func makingTheMachineIsShared() async throws {
        let (fixture, _) = try await run(.succeeded)
        #expect(try await row(fixture).embodiedG == nil)
        let factors = SiteFactors(cpus: 4, embodied: .init(grams: 1e6), lifetime: .seconds(1e6))
        try await fixture.ledger.recordSite(factors, from: at(-10))
        try await fixture.ledger.recordSite(factors, from: at(-5))
        #expect(try await row(fixture).embodiedG == 50)
        #expect(try await row(fixture).sciPerJobG == 52)
        try await fixture.ledger.recordSite(
            SiteFactors(cpus: 4, embodied: .init(grams: 2e6), lifetime: .seconds(1e6)), from: at(60))
        #expect(try await row(fixture).embodiedG == 70)
        for grouping in [ReportGrouping.user, .day, .month, .queue, .project] {
            let report = try await fixture.ledger.report(ReportQuery(since: start, until: at(200), by: grouping))
            #expect(report.rows.first?.embodiedG == 70 && report.totals.embodiedG == 70, "\(grouping)")
        }
    }
}
