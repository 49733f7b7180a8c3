import Foundation
import GRDB
import Glibc
import JobAPI
import Testing
import Units

@testable import Ledger

/// Where the ledger's file and its copies lie: on full disks, on read-only ones, in another user's directory.
@Suite struct LedgerFileTests {
    @Test func aFullDiskOfACopyIsNamedInWordsThatSayIt() async throws {
        let fixture = try TemporaryLedger()
        try fixture.ledger.close()
        let source = try LedgerFile.reader(fixture.ledger.path)
        let copy = try DatabaseQueue()
        // SQLite's own failure of a backup that finds no room, which it says no words about.
        try await copy.write { try $0.execute(sql: "PRAGMA max_page_count = 2") }
        do {
            try source.backup(to: copy)
            Issue.record("it fitted")
        } catch {
            let told = LedgerError(error, copyingTo: "/backup/copy.db")
            #expect(told.kind == .full)
            #expect(
                told.description
                    == "the ledger could not be copied to /backup/copy.db: database or disk is full "
                    + "(free space on the file system of /backup/copy.db; the ledger itself is as it was)")
            let usual = LedgerError(error, stage: "write", path: "/no/such")
            #expect(usual.message == "database or disk is full" && "\(usual)".contains("the ledger's file system"))
        }
        // Words that SQLite has are kept.
        let error = DatabaseError(resultCode: .SQLITE_FULL, message: "no room for x")
        #expect(LedgerError(error, stage: "write", path: "/no/such").message == "no room for x")
    }

    @Test func whatACopyMeetsIsToldOfWhereItIs() throws {
        let fixture = try TemporaryLedger()
        do {
            _ = try Ledger.backUp(fixture.ledger.path, to: "/proc/copy.db", now: .now())
            Issue.record("it was written")
        } catch {
            #expect("\(error)".hasPrefix("the ledger could not be copied to /proc/copy.db: cannot create /proc/"))
            #expect("\(error)".hasSuffix("(check the directory of /proc/copy.db, its rights and its disk)"))
        }
        // Of a ledger that is held or cannot be read its own directory is spoken.
        for (code, words) in [
            (ResultCode.SQLITE_BUSY, "another program holds the ledger"),
            (.SQLITE_IOERR_READ, "check the ledger's directory"), (.SQLITE_CORRUPT, "check the ledger's directory"),
            (.SQLITE_IOERR_WRITE, "check the directory of /b/c.db"),
            (.SQLITE_CANTOPEN, "check the directory of /b/c.db"),
        ] {
            #expect("\(LedgerError(DatabaseError(resultCode: code), copyingTo: "/b/c.db"))".contains(words))
        }
    }

    /// Whether the file system is read-only, bytes of the journal, whether there is an index, and how it is opened then.
    static let openings: [(Bool, Int64?, Bool, LedgerFile.Opening)] = [
        (false, nil, false, .ordinary), (false, 0, true, .ordinary), (false, 9, false, .ordinary),
        (true, nil, false, .immutable), (true, 0, false, .immutable), (true, nil, true, .immutable),
        // What lies there is in use, if anybody uses it.
        (true, 0, true, .ordinary), (true, 9, true, .ordinary),
        (true, 9, false, .impossible),
    ]

    @Test(arguments: openings)
    func itIsOpenedAsItsFileSystemLets(
        isReadOnly: Bool, journalBytes: Int64?, hasIndex: Bool, opening: LedgerFile.Opening
    ) {
        #expect(LedgerFile.Opening(isReadOnly: isReadOnly, journalBytes: journalBytes, hasIndex: hasIndex) == opening)
    }

    @Test func aClosedLedgerIsReadWithoutMakingAnythingBesideIt() async throws {
        let fixture = try TemporaryLedger()
        let id = try await fixture.accept()
        try fixture.ledger.close()
        // A name that means something in a URI.
        let directory = fixture.directory + "/a%41?b=c#d e"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/ledger.db"
        try FileManager.default.copyItem(atPath: fixture.ledger.path, toPath: path)
        for directory in [directory, "/" + directory] {
            let reader = try LedgerFile.reader(directory + "/ledger.db", isReadOnly: { _ in true })
            #expect(try await reader.read { try Int64.fetchAll($0, sql: "SELECT id FROM jobs") } == [id.number])
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["ledger.db"])
            try reader.close()
        }
        // The usual way makes a journal there, or fails where it cannot.
        let usual = try LedgerFile.reader(path, isReadOnly: { _ in false })
        _ = try await usual.read { try LedgerFile.schema($0) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count > 1)
        try usual.close()
    }

    @Test func rowsInAJournalThatCannotBeReadAreNotLeftOut() async throws {
        let fixture = try TemporaryLedger()
        _ = try await fixture.accept()
        let directory = fixture.directory + "/rescued"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for end in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: fixture.ledger.path + end, toPath: directory + "/ledger.db" + end)
        }
        do {
            _ = try LedgerFile.reader(directory + "/ledger.db", isReadOnly: { _ in true })
            Issue.record("it was opened")
        } catch {
            #expect("\(error)".contains("its newest rows are still in \(directory)/ledger.db-wal (copy both files"))
        }
    }
}
