import Foundation
import GRDB
import JobAPI
import Ledger
import Scheduling
import Testing
import Units

@testable import Daemon
@testable import Ledger

/// What holds and releases leave in memory and on disk, also where they fail or meet.
@Suite(.timeLimit(.minutes(1))) struct HoldStepsTests {
    private let owner = Peer(uid: 54_321, gid: 54_321)
    private let admin = Peer(uid: 0, gid: 0)

    /// A job of somebody who is no admin, as a daemon that starts takes it up.
    private func waitingJob(
        _ parts: DaemonParts, notBefore: Timestamp? = nil, rule: String? = nil
    ) async throws -> JobID {
        var new = parts.newJob()
        new.uid = owner.uid
        new.gid = owner.gid
        new.notBefore = notBefore
        new.rule = rule
        let id = try await parts.ledger.accept(new)
        try await parts.jobs.takeUp()
        return id
    }

    private func execute(_ sql: String, _ parts: DaemonParts) async throws {
        try await parts.ledger.write("prepare") { db in try db.execute(sql: sql) }
    }

    @Test func anAdminsHoldThatFailsLeavesItsOwnersInForce() async throws {
        try await DaemonParts.with { parts in
            let id = try await waitingJob(parts)
            _ = try await parts.jobs.hold(id, from: owner)
            let note = try #require(await parts.jobs.pending(id)).note
            try await execute(
                "CREATE TRIGGER refuse BEFORE UPDATE OF held ON jobs BEGIN SELECT RAISE(ABORT, 'no room'); END", parts)
            await #expect(throws: LedgerError.self) { try await parts.jobs.hold(id, from: admin) }
            let full = LedgerError(.full, stage: "hold job \(id)", message: "full")
            #expect(Responses.apiError(full).hint == "free space, then try again")
            let job = try #require(await parts.jobs.pending(id))
            #expect(job.held && job.note == note)
            try await execute("DROP TRIGGER refuse", parts)
            await parts.jobs.startWhatFits()
            #expect(try await parts.ledger.job(id)?.record.state == .queued)
            #expect(await parts.jobs.live[id] == nil)
        }
    }

    /// As the ledger says it is, whatever memory was told in between.
    @Test func whatTheLedgerSaysIsHeldDoesNotStart() async throws {
        try await DaemonParts.with { parts in
            let id = try await waitingJob(parts)
            #expect(
                try await parts.ledger.hold(id, by: "root", as: .admin, policyHash: "", at: .now()))
            await parts.jobs.startWhatFits()
            let job = try #require(await parts.jobs.pending(id))
            #expect(job.held && job.note == "held by root")
            #expect(await parts.jobs.live[id] == nil)
            #expect(try await parts.ledger.beginAttempt(id, bootID: "this", at: .now()) == nil)
            #expect(try await parts.ledger.job(id)?.record.state == .queued)
        }
    }

    @Test(arguments: 0..<10) func memoryEndsUpAsTheLedgerDid(round: Int) async throws {
        try await DaemonParts.with { parts in
            let id = try await waitingJob(parts, notBefore: Timestamp.now().advanced(by: .seconds(3600)))
            _ = try await parts.jobs.hold(id, from: owner)
            // Either may come first, and either may be refused then.
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await parts.jobs.release(id, from: owner) }
                group.addTask { _ = try? await parts.jobs.hold(id, from: admin) }
            }
            let stored = try #require(try await parts.ledger.job(id))
            let job = try #require(await parts.jobs.pending(id))
            #expect(job.held == (stored.holder != nil), "\(job) \(String(describing: stored.holder))")
        }
    }

    @Test func whatItWaitedForIsToldAgainOnceItIsReleased() async throws {
        try await DaemonParts.with { parts in
            let id = try await waitingJob(parts)
            _ = try await parts.ledger.beginAttempt(id, bootID: "this", at: .now())
            try await parts.ledger.requeue(
                id,
                Ledger.Requeue(
                    cause: "exited with status 1; retry 1 of 3 in 10 min", attempt: "failed",
                    notBefore: Timestamp.now().advanced(by: .seconds(600)), isRetry: true), at: .now())
            try await parts.jobs.takeUp()
            _ = try await parts.jobs.hold(id, from: owner)
            let released = try await parts.jobs.release(id, from: owner)
            #expect(released.reason == "exited with status 1; retry 1 of 3 in 10 min")
            // Also to a daemon that has just read the ledger.
            try await parts.jobs.takeUp()
            #expect(try await parts.jobs.record(id).reason == released.reason)
        }
    }

    @Test func aRuleOfItsSubmissionIsNotBlamedForAHold() async throws {
        try await DaemonParts.with { parts in
            let id = try await waitingJob(
                parts, notBefore: Timestamp.now().advanced(by: .seconds(600)), rule: "later (a.toml:1)")
            #expect(try await parts.jobs.explain(id, for: owner).rule == "later (a.toml:1)")
            _ = try await parts.jobs.hold(id, from: owner)
            let why = try await parts.jobs.explain(id, for: owner)
            #expect(why.rule == nil && why.reason.hasPrefix("held by "))
        }
    }
}

extension JobController {
    fileprivate func pending(_ id: JobID) -> PendingJob? { scheduler.pendingJob(id) }
}
