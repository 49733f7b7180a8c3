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
        let source = try DatabaseQueue(path: fixture.ledger.path)
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
}
