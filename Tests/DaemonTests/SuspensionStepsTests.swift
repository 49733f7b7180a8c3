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
}
