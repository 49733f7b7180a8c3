import GRDB
import JobAPI
import Testing

@testable import Ledger

/// Writes that come together.
@Suite struct CommitQueueTests {
    private struct Refused: Error {}

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
