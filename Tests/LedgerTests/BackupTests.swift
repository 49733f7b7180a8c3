import Foundation
import GRDB
import JobAPI
import Testing
import Units

@testable import Ledger

/// The ledger as a file that is carried away and put back.
@Suite struct BackupTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func aCopyIsTheWholeLedgerAtOneMomentAndItsOwnersAlone() async throws {
        let books = try await Books()
        try await books.close()
        let path = books.fixture.directory + "/copy.db"
        // What is not in the main file yet belongs to it too.
        let last = try await books.fixture.accept(name: "in the journal")
        let copy = try Ledger.backUp(books.ledger.path, to: path, now: Books.day(3))
        let audit = try #require(copy.audit)
        #expect(audit.findings == [] && audit.entries > 0)
        #expect(audit.head == (try await books.ledger.audit(now: Books.day(3))).head)
        #expect(try mode(path) == 0o600)
        #expect(copy.bytes == (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64))
        // One file, and nothing half-made beside it.
        let names = try FileManager.default.contentsOfDirectory(atPath: books.fixture.directory)
        #expect(names.filter { $0.hasPrefix("copy") } == ["copy.db"])
        let again = try Ledger(path: path)
        #expect(try await again.job(last)?.record.name == "in the journal")
        try again.close()
    }

    @Test func writersGoOnMeanwhileAndTheCopyHoldsWholeTransactions() async throws {
        let fixture = try TemporaryLedger()
        try await fixture.ledger.keepPolicy(hash: "abc", text: "", at: Timestamp(seconds: 1))
        let path = fixture.ledger.path
        let writing = Task {
            var accepted = 0
            while !Task.isCancelled {
                _ = try await fixture.accept()
                accepted += 1
            }
            return accepted
        }
        var counts: [Int] = []
        for round in 0..<10 {
            let copy = try Ledger.backUp(path, to: fixture.directory + "/copy-\(round).db", now: .now())
            #expect(copy.audit?.findings == [])
            let queue = try DatabaseQueue(path: copy.path)
            let (jobs, transitions) = try await queue.read { db in
                (
                    try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM jobs") ?? -1,
                    try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM transitions") ?? -1
                )
            }
            #expect(jobs == transitions)
            counts.append(jobs)
            try queue.close()
        }
        writing.cancel()
        let accepted = try await writing.value
        #expect(counts == counts.sorted() && counts.last ?? 0 <= accepted)
    }

    @Test func aFindingOfTheAuditIsToldAndTheCopyKept() async throws {
        let books = try await Books()
        try await books.close()
        try await books.ledger.pool.write { try $0.execute(sql: "UPDATE spans SET active_uj = active_uj + 1") }
        let path = books.fixture.directory + "/copy.db"
        let copy = try Ledger.backUp(books.ledger.path, to: path, now: Books.day(3))
        #expect(copy.audit?.ok == false)
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func whatIsNoLedgerIsNeitherCopiedNorTaken() async throws {
        let fixture = try TemporaryLedger()
        let path = fixture.directory + "/other"
        for content in ["", "not a database at all, but long enough to have a header of its own, which none has"] {
            try content.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: LedgerError.self) { try Ledger.backUp(path, to: path + ".copy", now: .now()) }
            #expect(throws: LedgerError.self) { try Ledger.examine(path, now: .now()) }
        }
        let other = try DatabaseQueue(path: path + ".db")
        try await other.write { try $0.execute(sql: "CREATE TABLE jobs (id INTEGER PRIMARY KEY)") }
        try other.close()
        #expect(throws: LedgerError.self) { try Ledger.examine(path + ".db", now: .now()) }
        #expect(throws: LedgerError.self) { try Ledger.backUp("/no/such/ledger", to: path, now: .now()) }
        #expect(throws: LedgerError.self) { try Ledger.backUp(fixture.ledger.path, to: "/no/such/place", now: .now()) }
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        #expect(!names.contains { $0.contains(".new.") })
    }

    @Test func whatWaitedIsHeldAndNumbersGoOnAboveThoseThatWereGiven() async throws {
        let fixture = try TemporaryLedger()
        try await fixture.ledger.keepPolicy(hash: "abc", text: "", at: Timestamp(seconds: 1))
        let waiting = try await fixture.accept()
        let running = try await fixture.accept()
        _ = try await fixture.ledger.beginAttempt(running, bootID: "b", at: Timestamp(seconds: 1_000_001))
        let copy = fixture.directory + "/copy.db"
        _ = try Ledger.backUp(fixture.ledger.path, to: copy, now: .now())
        // Since then: one was accepted, and of a later one only the directory is known.
        let since = try await fixture.accept()
        try fixture.ledger.close()
        #expect(Ledger.unended(fixture.ledger.path) == [running])

        let restored = try await Ledger.restore(
            copy, to: fixture.ledger.path, lastNumber: 40, accepting: \.ok, now: .now())
        #expect(restored.held == 1 && restored.audit.ok)
        let replaced = try #require(restored.replaced)
        let old = try Ledger(path: replaced)
        #expect(try await old.job(since) != nil)
        try old.close()
        let ledger = try Ledger(path: fixture.ledger.path)
        #expect(try await ledger.job(since) == nil)
        let held = try #require(try await ledger.job(waiting))
        #expect(held.holder == .admin && held.record.reason.contains("may have run since"))
        #expect(try await ledger.beginAttempt(waiting, bootID: "b", at: .now()) == nil)
        #expect(try await ledger.job(running)?.record.state == .starting)
        // What followed the attempt that ran then nobody knows: it is not tried again of itself, and once released as any other.
        #expect(try await ledger.requeue(running, .init(cause: "failed", attempt: "failed"), at: .now()))
        let requeued = try #require(try await ledger.job(running))
        #expect(requeued.holder == .admin && requeued.record.reason.contains("may have run since"))
        #expect(try await ledger.beginAttempt(running, bootID: "b", at: .now()) == nil)
        #expect(try await ledger.audit(now: .now()).findings == [])
        let next = try await ledger.accept(
            NewJob(
                spec: JobSpec(command: .init(argv: ["true"])), user: "ada", uid: 1, gid: 1, project: "x",
                queue: "batch",
                priority: 1, timeLimit: nil, held: false, reason: "r", rule: nil, policyHash: "abc", submittedAt: .now()
            ))
        #expect(next == JobID(41))
        try ledger.close()
    }

    @Test func aCopyThatWasTamperedWithIsTakenOnlyWhereThatIsWanted() async throws {
        let books = try await Books()
        try await books.close()
        let copy = books.fixture.directory + "/copy.db"
        _ = try Ledger.backUp(books.ledger.path, to: copy, now: Books.day(3))
        let queue = try DatabaseQueue(path: copy)
        try await queue.write { try $0.execute(sql: "UPDATE domain_minutes SET metered_uj = metered_uj + 1") }
        try queue.close()
        let target = books.fixture.directory + "/other.db"
        await #expect(throws: LedgerError.self) {
            try await Ledger.restore(copy, to: target, lastNumber: 0, accepting: \.ok, now: Books.day(3))
        }
        #expect(!FileManager.default.fileExists(atPath: target))
        #expect(!FileManager.default.fileExists(atPath: target + ".restoring"))
        let forced = try await Ledger.restore(
            copy, to: target, lastNumber: 0, accepting: { _ in true }, now: Books.day(3))
        #expect(!forced.audit.ok && forced.replaced == nil)
    }
}
