import Foundation
import JobAPI
import Ledger
import Policy
import Testing
import Units

@testable import Daemon
@testable import Ledger

/// What may be done to a job that stands still, and for how long it may.
@Suite(.timeLimit(.minutes(1))) struct SuspensionStepsTests {
    private let owner = Peer(uid: 54_321, gid: 54_321)
    private let admin = Peer(uid: 0, gid: 0)

    /// A job of somebody who is no admin that stands still, on the word of an admin.
    private func suspendedJob(_ parts: DaemonParts) async throws -> JobID {
        let stored = try await parts.startedJob { $0.uid = owner.uid }
        let id = stored.record.id
        try await parts.ledger.recordProcess(
            id, attempt: 1, pid: 1, startTime: 0, cgroup: nil, enforced: [], at: .now())
        #expect(try await parts.ledger.suspend(id, by: "root", as: .admin, policyHash: "", at: .now()))
        await parts.jobs.put(try #require(try await parts.ledger.job(id)), as: .suspended)
        return id
    }

    @Test func whatAnAdminSuspendedItsOwnerMayEndButNotRunAgain() async throws {
        try await DaemonParts.with { parts in
            let id = try await suspendedJob(parts)
            let error = await #expect(throws: APIError.self) { try await parts.jobs.requeue(id, from: owner) }
            #expect(error?.code == .forbidden)
            #expect(error?.message == "only an admin may requeue a job that an admin suspended")
            #expect(try await parts.ledger.job(id)?.requeuedBy == nil)
            _ = try await parts.jobs.requeue(id, from: admin)
            #expect(try await parts.ledger.job(id)?.requeuedBy != nil)
            let other = try await suspendedJob(parts)
            _ = try await parts.jobs.cancel(other, from: owner)
            #expect(try await parts.ledger.job(other)?.cancelledBy != nil)
        }
    }

    /// Its owner's allowance is for what its owner does.
    @Test func onlyItsOwnersSuspensionCountsAgainstItsOwner() async throws {
        try await DaemonParts.with { parts in
            let ledger = parts.ledger
            let stored = try await parts.startedJob()
            let id = stored.record.id
            try await ledger.recordProcess(
                id, attempt: 1, pid: 1, startTime: 0, cgroup: nil, enforced: [], at: .now())
            let start = Timestamp.now()
            func at(_ seconds: Double) -> Timestamp { start.advanced(by: .seconds(seconds)) }
            func suspend(as holder: Holder, _ seconds: Double) async throws {
                #expect(try await ledger.suspend(id, by: "x", as: holder, policyHash: "", at: at(seconds)))
            }
            func resume(_ seconds: Double) async throws {
                #expect(try await ledger.resume(id, by: "x", policyHash: "", at: at(seconds)))
            }
            func times() async throws -> [Double] {
                let job = try #require(try await ledger.job(id))
                return [job.suspendedSeconds, job.ownerSuspendedSeconds]
            }
            try await suspend(as: .admin, 0)
            #expect(try await ledger.job(id)?.ownerSuspendedSince == nil)
            try await resume(100)
            #expect(try await times() == [100, 0])
            #expect(try await ledger.suspend(id, because: "a rule", rule: nil, policyHash: "", at: at(100)))
            try await resume(110)
            #expect(try await times() == [110, 0])
            try await suspend(as: .owner, 110)
            #expect(try await ledger.job(id)?.ownerSuspendedSince == at(110))
            try await resume(113)
            #expect(try await times() == [113, 3])
            // An admin takes over what its owner began, an owner what the plan began.
            try await suspend(as: .owner, 120)
            try await suspend(as: .admin, 125)
            #expect(try await ledger.job(id)?.ownerSuspendedSince == nil)
            try await resume(145)
            #expect(try await times() == [138, 8])
        }
    }

    @Test func anOwnerTakesOverWhatThePlanBegan() async throws {
        try await DaemonParts.with { parts in
            let ledger = parts.ledger
            let id = try await parts.startedJob().record.id
            try await ledger.recordProcess(
                id, attempt: 1, pid: 1, startTime: 0, cgroup: nil, enforced: [], at: .now())
            let start = Timestamp.now()
            #expect(try await ledger.suspend(id, by: "mld", as: .plan, policyHash: "", at: start))
            let taken = start.advanced(by: .seconds(50))
            #expect(try await ledger.suspend(id, by: "ada", as: .owner, policyHash: "", at: taken))
            #expect(try await ledger.job(id)?.ownerSuspendedSince == taken)
            try await ledger.transition(id, to: .cancelled, cause: "x", at: start.advanced(by: .seconds(57)))
            let job = try #require(try await ledger.job(id))
            #expect(job.suspendedSeconds == 57 && job.ownerSuspendedSeconds == 7)
        }
    }
}
