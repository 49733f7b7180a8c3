import Foundation
import GRDB
import JobAPI
import Testing
import Units

@testable import Daemon
@testable import Ledger

/// While another program holds the ledger the meters are read as ever. Where these wait for the ledger, they wait for ever.
@Suite(.timeLimit(.minutes(1))) struct LockedLedgerTests {
    private let progress = #"{"event":"progress","epoch":1}"# + "\n"

    @Test func noReadingWaitsForItAndNoneIsLost() async throws {
        try await DaemonParts.with { parts in
            let talking = try await parts.startedJob(events: progress)
            await parts.jobs.put(talking)
            await parts.meter.begin([parts.tracked(talking.record.id)])
            try await parts.holdingLedger {
                // What jobs say waits, and so does what is booked.
                let events = Task { await parts.jobs.takeEvents(talking.record.id) }
                while await parts.meter.flushing == nil {
                    try await parts.tick()
                    try await Task.sleep(for: .milliseconds(5))
                }
                for _ in 0..<3 { try await parts.tick() }
                #expect(await parts.meter.pending.map(\.end).max() == parts.meter.lastRead)
                events.cancel()
            }
            await parts.meter.flush()
            let (metered, gap) = try await parts.ledger.read("look") { db in
                let row = try Row.fetchOne(db, sql: "SELECT SUM(metered_us), SUM(gap_us) FROM domain_minutes")
                return (row?[0] as Int64? ?? 0, row?[1] as Int64? ?? 0)
            }
            #expect(metered > 0)
            #expect(gap == 0)
        }
    }

    @Test func aJobThatHasEndedIsCountedOutThoughItsLastWordsWait() async throws {
        try await DaemonParts.with { parts in
            let stored = try await parts.startedJob(events: progress)
            let id = stored.record.id
            let record = """
                {"cause":"exited","exit_status":0,"signal":null,"message":null,"user_cpu_us":1,"system_cpu_us":1,\
                "output_lost_bytes":0,"started_at_us":1,"ended_at_us":2}
                """
            try record.write(
                toFile: await parts.jobs.directory(id).exitRecord(1), atomically: true, encoding: .utf8)
            await parts.jobs.put(stored)
            await parts.meter.begin([parts.tracked(id)])
            var ending: Task<Void, Never>?
            try await parts.holdingLedger {
                ending = Task { await parts.jobs.ended(id) }
                while await parts.meter.isTracking { try await Task.sleep(for: .milliseconds(5)) }
            }
            await ending?.value
            let ended = try #require(try await parts.ledger.job(id))
            #expect(ended.record.state == .succeeded)
            #expect(ended.record.progress?.epoch == 1)
        }
    }
}
