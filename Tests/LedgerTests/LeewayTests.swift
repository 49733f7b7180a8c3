import GRDB
import JobAPI
import Testing
import Units

@testable import Ledger

/// How far jobs may be moved is on disk, and whose suspension it is.
@Suite struct LeewayTests {
    private let time = Timestamp(seconds: 1_000_000)

    private func running(_ ledger: Ledger, _ leeway: Leeway) async throws -> JobID {
        let id = try await ledger.accept(
            NewJob(
                spec: JobSpec(command: .init(argv: ["true"])), user: "ada", uid: 1, gid: 1, project: "p", queue: "q",
                priority: 1, timeLimit: 60, held: false, reason: "r", rule: nil, policyHash: "abc", submittedAt: time,
                leeway: leeway))
        #expect(try await ledger.waiting().first { $0.id == id }?.leeway == leeway)
        _ = try await ledger.beginAttempt(id, bootID: "b", at: time)
        try await ledger.transition(id, to: .running, cause: "started", at: time)
        return id
    }

    @Test func itIsReadAsItWasWritten() async throws {
        let fixture = try TemporaryLedger()
        let leeway = Leeway(
            deadline: Timestamp(seconds: 1_003_600), latestStart: Timestamp(seconds: 1_001_800), isInterruptible: true,
            minimise: "cost", rule: "queue.q.defer.up-to (p.toml:3)")
        let id = try await running(fixture.ledger, leeway)
        #expect(try await fixture.ledger.job(id)?.leeway == leeway && leeway.isAny)
        let none = try await running(fixture.ledger, Leeway())
        #expect(try await fixture.ledger.job(none)?.leeway == Leeway() && !Leeway(isInterruptible: true).isAny)
    }

    @Test func aPersonsWordIsAboveThePlans() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        func suspend(_ id: JobID, _ holder: Holder) async throws -> Bool {
            try await ledger.suspend(id, by: "x", as: holder, because: "until T", policyHash: "abc", at: time)
        }
        func resume(_ id: JobID, _ holders: Set<Holder>?) async throws -> Bool {
            try await ledger.resume(id, by: "x", only: holders, policyHash: "abc", at: time)
        }
        func stored(_ id: JobID) async throws -> StoredJob { try #require(try await ledger.job(id)) }
        let flexible = Leeway(deadline: Timestamp(seconds: 2_000_000), isInterruptible: true)

        // The plan's own leave it to the plan.
        let id = try await running(ledger, flexible)
        #expect(try await suspend(id, .plan))
        #expect(try await stored(id).holder == .plan)
        #expect(try await stored(id).record.reason == "suspended by x until T")
        #expect(try await suspend(id, .plan) == false)
        #expect(try await resume(id, [.plan]))
        #expect(try await stored(id).leeway.isInterruptible)
        // An owner's and an admin's does not.
        #expect(try await suspend(id, .plan))
        #expect(try await suspend(id, .owner))
        #expect(try await stored(id).holder == .owner)
        #expect(try await !stored(id).leeway.isInterruptible)
        #expect(try await resume(id, [.plan]) == false)
        #expect(try await suspend(id, .admin))
        #expect(try await resume(id, [.owner, .plan]) == false)
        #expect(try await resume(id, nil))
        // Who lets it go on, keeps the plan off it.
        let other = try await running(ledger, flexible)
        #expect(try await suspend(other, .plan))
        #expect(try await resume(other, [.owner, .plan]))
        #expect(try await !stored(other).leeway.isInterruptible)
    }

    @Test func manyChangesOfIntensityAreAudited() async throws {
        let fixture = try TemporaryLedger()
        for step in 0..<3000 {
            try await fixture.ledger.recordIntensity(
                from: Timestamp(seconds: 1_000_000 + Double(step) * 300), zone: "DE",
                intensity: CarbonIntensity(gramsPerKilowattHour: Double(200 + step % 7)), pue: 1, source: "x")
        }
        #expect(try await fixture.ledger.audit(now: Timestamp(seconds: 2_000_000)).findings == [])
    }
}
