import Foundation
import GRDB
import Glibc
import JobAPI
import Testing
import Units

@testable import Ledger

/// What processes that were killed left beside the ledger, and beside copies of it.
@Suite struct SweepTests {
    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    private func make(_ names: [String], in directory: String) throws {
        for name in names { try Data("x".utf8).write(to: URL(fileURLWithPath: directory + "/" + name)) }
    }

    @Test(arguments: [
        ("ledger.db.restoring", Leftover.unfinished), ("ledger.db.restoring-wal", .unfinished),
        ("ledger.db.restoring-shm", .unfinished), ("ledger.db.restoring-journal", .unfinished),
        ("ledger.db.replaced-1700000000", .replaced),
        // Ledgers, copies that are whole, and what somebody else named.
        ("ledger.db", nil), ("ledger.db-wal", nil), ("ledger.db-shm", nil), ("ledger.db.v1.backup", nil),
        ("ledger.db.v1.backup.new", nil), ("ledger.db.restoring.new", nil),
        ("ledger.db.restoring.db", nil), ("ledger.db.restoring-", nil), ("ledger.db.restoring-wal-wal", nil),
        ("ledger.db.replaced-", nil), ("ledger.db.replaced-1-wal", nil), ("ledger.db.replaced-x", nil),
        ("other.db.restoring", nil), ("ledger-db.restoring", nil), ("", nil),
    ]) func itIsKnownByItsNameAlone(name: String, leftover: Leftover?) {
        #expect(Leftover(name, beside: "ledger.db") == leftover)
    }

    @Test func theNextCopyTakesAwayWhatAKilledOneLeftAndNothingElse() async throws {
        let fixture = try TemporaryLedger()
        let directory = fixture.directory + "/copies"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let others = [
            "copy.db.new.1k25", "mld-copy.new.", "mld-copy.new.3w5e11264sgsf.db", "mld-copy.new.3W5E11264SGSF",
            "mld-copy.new.old", "mld-copy.new.20261127", "old.db",
        ]
        let left = ["mld-copy.new.3w5e11264sgsf", "mld-copy.new.3w5e11264sgsf-journal", "mld-copy.new.0000000000000"]
        try make(others + left, in: directory)
        let victim = fixture.directory + "/victim"
        try make(["victim"], in: fixture.directory)
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/mld-copy.new.0000000000001", withDestinationPath: victim)
        // Another copy is being written there.
        let writing = try UnfinishedCopy(in: directory + "/")
        _ = try Ledger.backUp(fixture.ledger.path, to: directory + "/new.db", now: .now())
        let name = String(writing.path.dropFirst(directory.count + 1))
        #expect(try names(directory) == (others + ["mld-copy.new.0000000000001", "new.db", name]).sorted())
        #expect(FileManager.default.fileExists(atPath: victim))
        writing.discard()
    }

    @Test func copiesToOneNameAtOneTimeDoNotHarmEachOther() async throws {
        let fixture = try TemporaryLedger()
        try await fixture.ledger.keepPolicy(hash: "abc", text: "", at: Timestamp(seconds: 1))
        for _ in 0..<5 { _ = try await fixture.accept() }
        let (source, path) = (fixture.ledger.path, fixture.directory + "/copy.db")
        try await withThrowingTaskGroup(of: LedgerCopy.self) { group in
            for _ in 0..<8 { group.addTask { try Ledger.backUp(source, to: path, now: .now()) } }
            for try await copy in group { #expect(copy.audit?.ok == true) }
        }
        let kept = try Ledger(path: path)
        #expect(try await kept.waiting().count == 5)
        try kept.close()
        #expect(!(try names(fixture.directory).contains { $0.hasPrefix(UnfinishedCopy.prefix) }))
    }

    @Test func aStartTakesAwayWhatIsUnfinishedAndNothingElse() async throws {
        let fixture = try TemporaryLedger()
        let id = try await fixture.accept()
        try fixture.ledger.close()
        let kept = [
            "ledger.db.v1.backup", "ledger.db.replaced-17", "ledger.db.v1.backup.new.old", "other.db.restoring",
        ]
        let left = [
            "ledger.db.restoring", "ledger.db.restoring-wal", "mld-copy.new.3w5e11264sgsf",
        ]
        let before = try names(fixture.directory)
        try make(kept + left, in: fixture.directory)
        let path = fixture.ledger.path
        let sweep = Ledger.sweep(beside: path)
        #expect(sweep.removed.sorted() == left.map { fixture.directory + "/" + $0 }.sorted())
        #expect(sweep.problems.isEmpty)
        #expect(try names(fixture.directory) == (before + kept).sorted())
        #expect(Ledger.sweep(beside: path).removed == [])
        let again = try Ledger(path: path)
        #expect(try await again.waiting().map(\.id) == [id])
        try again.close()
    }

    /// The sweep would take it before it is read.
    @Test func aCopyThatIsNamedAsALeftoverIsNotRestored() async throws {
        let fixture = try TemporaryLedger()
        _ = try await fixture.accept()
        for name in ["ledger.db.restoring", "mld-copy.new.3w5e11264sgsf"] {
            let copy = fixture.directory + "/" + name
            _ = try Ledger.backUp(fixture.ledger.path, to: copy, now: .now())
            await #expect(throws: LedgerError.self) {
                _ = try await Ledger.restore(
                    copy, to: fixture.ledger.path, lastNumber: 0, accepting: \.ok, now: .now())
            }
            #expect(FileManager.default.fileExists(atPath: copy), "\(name)")
            unlink(copy)
        }
    }

    @Test func whatCannotBeRemovedIsToldAndTheRestIsRemoved() throws {
        let fixture = try TemporaryLedger()
        try FileManager.default.createDirectory(
            atPath: fixture.directory + "/ledger.db.restoring", withIntermediateDirectories: true)
        try make(["ledger.db.restoring-wal"], in: fixture.directory)
        let sweep = Ledger.sweep(beside: fixture.ledger.path)
        #expect(sweep.removed == [fixture.directory + "/ledger.db.restoring-wal"])
        let problem = try #require(sweep.problems.first)
        #expect("\(problem)".hasPrefix("the ledger could not remove \(fixture.directory)/ledger.db.restoring: "))
        let none = Ledger.sweep(beside: "/no/such/place/ledger.db")
        #expect(none.removed == [] && none.problems.count == 1)
    }
}
