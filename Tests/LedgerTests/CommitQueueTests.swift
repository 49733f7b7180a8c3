import GRDB
import JobAPI
import Testing

@testable import Ledger

/// Writes that come together.
@Suite struct CommitQueueTests {
    private struct Refused: Error {}

    /// Each alone they would have waited one after the other: minutes.
    @Test(.timeLimit(.minutes(1)))
    func whatCannotBeginTogetherIsNotTriedAlone() async throws {
        let fixture = try TemporaryLedger(patience: 0.5)
        let ledger = fixture.ledger
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: ledger.path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<300 {
                group.addTask {
                    do {
                        try await ledger.write("test") { db in
                            try db.execute(sql: "INSERT INTO learned VALUES (?, '', 0)", arguments: ["\(number)"])
                        }
                        return false
                    } catch {
                        return "\(error)".contains("locked")
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(refused == 300)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        // It goes on when the other is gone.
        try await ledger.write("test") { db in
            try db.execute(sql: "INSERT INTO learned VALUES ('after', '', 0)")
        }
        let kept = try await ledger.read("test") { db in
            try String.fetchAll(db, sql: "SELECT key FROM learned WHERE value = '' AND updated_us = 0")
        }
        #expect(kept == ["after"])
    }

    /// One that fails is taken back alone, whatever shares its transaction.
    @Test func whatFailsIsTakenBackAloneAndEachIsAnsweredForItself() async throws {
        let fixture = try TemporaryLedger()
        let ledger = fixture.ledger
        let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
            for number in 0..<300 {
                group.addTask {
                    do {
                        let written = try await ledger.write("test") { db in
                            try db.execute(
                                sql: "INSERT INTO learned VALUES (?, '', 0)", arguments: ["\(number)"])
                            if number % 3 == 0 { throw Refused() }
                            return number
                        }
                        return (number, written == number)
                    } catch {
                        return (number, false)
                    }
                }
            }
            return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
        }
        for number in 0..<300 { #expect(outcomes[number] == (number % 3 != 0)) }
        let kept = try await ledger.read("test") { db in
            try String.fetchAll(db, sql: "SELECT key FROM learned WHERE value = '' AND updated_us = 0")
        }
        #expect(Set(kept) == Set((0..<300).filter { $0 % 3 != 0 }.map(String.init)))
    }
}
