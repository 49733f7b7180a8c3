import Foundation
import JobAPI
import Ledger
import Testing
import Units

@testable import Daemon

/// A submission that comes twice, as from a client that had no answer the first time.
@Suite(.timeLimit(.minutes(2))) struct SubmissionKeyTests {
    private func peer(_ uid: UInt32 = geteuid()) -> Peer { Peer(pid: getpid(), uid: uid, gid: getegid()) }

    private func spec(_ parts: DaemonParts, change: (inout JobSpec) -> Void = { _ in }) -> JobSpec {
        var spec = parts.newJob().spec
        change(&spec)
        return spec
    }

    @Test func aSubmissionThatComesAgainIsAnsweredWithItsJob() async throws {
        try await DaemonParts.with { parts in
            let spec = spec(parts)
            let key = SubmissionKey.random()
            let first = try await parts.jobs.submit(spec, key: key, from: peer())
            let again = try await parts.jobs.submit(spec, key: key, from: peer())
            #expect(again.id == first.id && again.elements == nil)
            let other = try await parts.jobs.submit(spec, key: .random(), from: peer())
            let without = try await parts.jobs.submit(spec, from: peer())
            #expect(Set([first.id, other.id, without.id]).count == 3)
            // It is told how the job stands by now.
            _ = try await parts.ledger.transition(first.id, to: .cancelled, cause: "by its owner", at: .now())
            #expect(try await parts.jobs.submit(spec, key: key, from: peer()).state == .cancelled)
        }
    }

    @Test func anArrayThatComesAgainIsOne() async throws {
        try await DaemonParts.with { parts in
            let array = try JobArray("1-20")
            let spec = spec(parts) { $0.array = array }
            let key = SubmissionKey.random()
            let first = try await parts.jobs.submit(spec, key: key, from: peer())
            let again = try await parts.jobs.submit(spec, key: key, from: peer())
            #expect(first.elements == 20 && again.elements == 20 && again.id == first.id)
            #expect(try await parts.ledger.jobs(JobFilter(limit: 100)).count == 20)
        }
    }

    /// A key is its user's: nobody learns by it of what another submitted.
    @Test func anotherUsersKeyIsAnother() async throws {
        try await DaemonParts.with { parts in
            let key = SubmissionKey.random()
            var new = parts.newJob()
            new.submission = key
            let id = try await parts.ledger.accept(new)
            #expect(try await parts.ledger.submission(key, of: new.uid)?.job == id)
            #expect(try await parts.ledger.submission(key, of: new.uid + 1) == nil)
            new.uid += 1
            #expect(try await parts.ledger.accept(new) != id)
        }
    }

    @Test func thoseThatComeAtOnceAreOneJob() async throws {
        try await DaemonParts.with { parts in
            let spec = spec(parts)
            let key = SubmissionKey.random()
            let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await parts.jobs.submit(spec, key: key, from: peer()).id }
                }
                var ids: Set<JobID> = []
                for try await id in group { ids.insert(id) }
                return ids
            }
            #expect(ids.count == 1)
            #expect(try await parts.ledger.jobs(JobFilter(limit: 100)).count == 1)
        }
    }
}
