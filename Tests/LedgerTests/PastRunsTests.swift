import GRDB
import JobAPI
import TestSupport
import Testing
import Units

@testable import Ledger

/// What is read of attempts that have ended, to learn from.
@Suite struct PastRunsTests {
    private let start = Timestamp(seconds: 1_700_006_400)

    private func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    /// An attempt of `seconds` that draws 10 J and 5 J in two domains, of which the second has a gap.
    private func run(
        _ ledger: Ledger, _ host: Int64, _ state: JobState, seconds: Double = 100, gap: Double = 0,
        isMetered: Bool = true
    ) async throws -> JobID {
        let id = try await ledger.accept(
            NewJob(
                spec: JobSpec(name: state.rawValue, resources: .init(cpus: 2), command: .init(argv: ["true"])),
                user: "ada", uid: 1, gid: 1, project: "p", queue: "batch", priority: 1, timeLimit: nil, held: false,
                reason: "", rule: nil, policyHash: "", submittedAt: start, likes: .max))
        _ = try await ledger.beginAttempt(id, bootID: "b", at: start)
        try await ledger.recordProcess(id, attempt: 1, pid: 1, startTime: 1, cgroup: nil, enforced: [], at: start)
        if isMetered {
            let parts = [("package-0", Int64(10), Tier.measured, 0.0), ("memory-model", 5, .table, gap)]
            try await ledger.add(
                parts.map { domain, joules, tier, gap in
                    let energy = Energy(microjoules: joules * 1_000_000)
                    let span = SpanDelta(
                        account: .job(id, attempt: 1), active: energy, reservedIdle: .zero,
                        low: .init(microjoules: energy.microjoules / 2),
                        high: .init(microjoules: energy.microjoules * 2),
                        carbon: .zero, carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero, tier: tier)
                    return MeteredInterval(
                        domain: domain, kind: "cpu", source: "test", start: at(1), end: at(seconds), metered: energy,
                        low: span.low, high: span.high, isGap: false, tier: tier, spans: [span])
                }, host: host)
        }
        if gap > 0 {
            try await ledger.pool.write { db in
                try db.execute(
                    sql: "UPDATE spans SET gap_us = ? WHERE job_id = ? AND domain_id = 2",
                    arguments: [Int64(gap * 1e6), id.number])
            }
        }
        try await ledger.transition(id, to: state, cause: "test", at: at(seconds))
        return id
    }

    @Test func whatEndedByItselfOrByItsLimitIsRead() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        let good = try await run(ledger, host, .succeeded)
        let cut = try await run(ledger, host, .timedOut, seconds: 60)
        for state in [JobState.failed, .cancelled, .outOfMemory, .lost] { _ = try await run(ledger, host, state) }
        let runs = try await ledger.pastRuns()
        #expect(runs.map(\.spec.name) == ["succeeded", "timed-out"])
        #expect(runs.map(\.isWhole) == [true, false] && runs.map(\.seconds) == [100, 60])
        let first = try #require(runs.first)
        #expect(first.uid == 1 && first.queue == "batch" && first.spec.resources.cpus == 2)
        let energy = try #require(first.energy)
        #expect(energy == (7.5, 15, 30) && first.tier == .table)
        #expect(try await ledger.lastRun(of: good)?.seconds == 100)
        #expect(try await ledger.lastRun(of: cut)?.isWhole == false)
        let failed = JobID(cut.number + 1)
        #expect(try await ledger.lastRun(of: failed) == nil)
    }

    @Test func aJobThatWaitsKeepsItsLikes() async throws {
        let fixture = try TemporaryLedger()
        let host = try await fixture.ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        let id = try await run(fixture.ledger, host, .queued)
        let without = try await fixture.accept()
        let waiting = try await fixture.ledger.waiting()
        #expect(waiting.map(\.id) == [id, without] && waiting.map(\.likes) == [.max, 0])
    }

    /// The time it stood still is no part of its run, and what was not metered tells no power.
    @Test func pausesAndGapsAreLeftOut() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        let some = try await run(ledger, host, .succeeded, gap: 5)
        #expect(try await ledger.lastRun(of: some)?.energy?.mean == 15)
        let much = try await run(ledger, host, .succeeded, gap: 5.1)
        #expect(try await ledger.lastRun(of: much)?.energy == nil)
        let none = try await run(ledger, host, .succeeded, isMetered: false)
        #expect(try await ledger.lastRun(of: none)?.tier == nil)
        try await ledger.pool.write { db in
            try db.execute(
                sql: "UPDATE attempts SET suspended_us = 30000000 WHERE job_id = ?", arguments: [some.number])
        }
        #expect(try await ledger.lastRun(of: some)?.seconds == 70)
    }

    @Test func whatPeopleWroteIsNoRun() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let host = try await ledger.host(name: "h", cpuModel: "c", cpus: 4, memory: .gibibytes(1))
        let bad = try await run(ledger, host, .succeeded)
        _ = try await run(ledger, host, .succeeded, seconds: 7)
        try await ledger.pool.write { db in
            try db.execute(sql: "UPDATE jobs SET spec = '{' WHERE id = ?", arguments: [bad.number])
        }
        #expect(try await ledger.pastRuns().map(\.seconds) == [7])
    }
}
