import Foundation
import Glibc
import JobAPI
import Testing
import Units

@testable import Ledger

/// A restore that was killed after the ledger got its second name, and before the new one took the first.
@Suite struct InterruptedRestoreTests {
    /// A ledger as a kill leaves it, its newest job in the journal, and under two names.
    private func interrupted(
        movingJournal isMoved: Bool, _ body: (_ path: String, _ old: String, _ last: JobID) async throws -> Void
    ) async throws {
        let fixture = try TemporaryLedger()
        let last = try await fixture.accept(name: "in the journal")
        let directory = fixture.directory + "/state"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/ledger.db"
        let old = path + ".replaced-1700000000"
        for end in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: fixture.ledger.path + end, toPath: path + end)
        }
        #expect(link(path, old) == 0)
        if isMoved { #expect(rename(path + "-wal", old + "-wal") == 0) }
        try await body(path, old, last)
    }

    @Test(arguments: [false, true]) func theLedgerHasOneNameAgainAndAllItsRows(isMoved: Bool) async throws {
        try await interrupted(movingJournal: isMoved) { path, old, last in
            let sweep = Ledger.sweep(beside: path)
            #expect(sweep.removed == [old] && sweep.problems.isEmpty)
            let ledger = try Ledger(path: path)
            #expect(try await ledger.job(last)?.record.name == "in the journal")
            try ledger.close()
            #expect(!FileManager.default.fileExists(atPath: old + "-wal"))
        }
    }

    @Test func theNextRestoreBeginsWithThatToo() async throws {
        try await interrupted(movingJournal: false) { path, old, _ in
            let copy = path + ".copy"
            let other = try TemporaryLedger()
            try await other.ledger.keepPolicy(hash: "abc", text: "", at: Timestamp(seconds: 1))
            let id = try await other.accept(name: "of the copy")
            _ = try Ledger.backUp(other.ledger.path, to: copy, now: .now())
            // At the very second of the first.
            let restored = try await Ledger.restore(
                copy, to: path, lastNumber: 0, accepting: \.ok, now: Timestamp(seconds: 1_700_000_000))
            #expect(restored.replaced == old)
            var (first, second) = (stat(), stat())
            #expect(stat(path, &first) == 0 && stat(old, &second) == 0 && first.st_ino != second.st_ino)
            #expect(first.st_nlink == 1 && second.st_nlink == 1)
            let ledger = try Ledger(path: path)
            #expect(try await ledger.job(id)?.record.name == "of the copy")
            try ledger.close()
        }
    }

    @Test func aLedgerThatWasReplacedStays() async throws {
        let fixture = try TemporaryLedger()
        try fixture.ledger.close()
        let old = fixture.ledger.path + ".replaced-1700000000"
        try FileManager.default.copyItem(atPath: fixture.ledger.path, toPath: old)
        #expect(Ledger.sweep(beside: fixture.ledger.path).removed == [])
        #expect(FileManager.default.fileExists(atPath: old))
    }
}
